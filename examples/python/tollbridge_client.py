#!/usr/bin/env python3
"""A device of Tollbridge: the short handshake of docs/protocol.md, with Paho and SQLite. Id and
body are on disk before they are sent, and leave the outbox when a receipt says that this very body
is booked, or why it never will be. Killed at any moment, it goes on where it was."""
import argparse, contextlib, hashlib, json, random, sqlite3, sys, time, uuid
import paho.mqtt.client as mqtt

BODY_BYTES_MAX = 92_160  # what the bridge books
UNRECEIPTED_MAX = 100  # IoT Core's limit of messages in flight
SEND_SECONDS = 0.01  # between two sends: IoT Core discards what goes beyond 100 a second
SCHEMA = '''PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT, topic TEXT, body BLOB, hash TEXT UNIQUE);
    CREATE TABLE IF NOT EXISTS rejected (id TEXT, topic TEXT, body BLOB, why TEXT);
    CREATE TABLE IF NOT EXISTS input (file INTEGER PRIMARY KEY, position INTEGER);'''


def body_of(line, message_id):
    """The bytes to send: the line with the id in front, so that no digit of it is written anew."""
    fields = json.loads(line.decode())
    if not isinstance(fields, dict) or not fields or 'id' in fields:
        raise ValueError('a line is a JSON object that has fields, and none called "id"')
    body = f'{{"id":"{message_id}",'.encode() + line.strip()[1:]
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f'the body has {len(body)} bytes; up to {BODY_BYTES_MAX} are allowed')
    return body


def receipts_in(payload, route):
    """The receipts of a publication; none where it is malformed or about another route."""
    try:
        said = json.loads(payload.decode())
        receipts = said['receipts'] if (said['v'], said['route']) == (1, route) else []
        return [receipt for receipt in receipts if isinstance(receipt, dict)]
    except (ValueError, TypeError, KeyError):
        return []


class Device:
    """Owns the database, for one process at a time; each transaction is flushed as it ends.
    `waiting` has what is unreceipted, by number: when it is sent again, and its next time-out."""

    def __init__(self, args):
        self.args, self.waiting, self.granted, self.next_send = args, {}, [], 0.0
        self.topic = args.topic.replace('{device}', args.device)
        self.input, self.db = open(args.input, 'rb'), sqlite3.connect(args.outbox)
        self.db.executescript(SCHEMA)
        self.position = self.one('SELECT max(position) FROM input')[0] or 0

    def one(self, query, *values):
        return self.db.execute(query, values).fetchone()

    def take(self):
        """Moves whole lines into the outbox, and the position in INPUT in the same transaction."""
        self.input.seek(self.position)
        lines = [line for line in self.input.readlines(65_536) if line.endswith(b'\n')]
        with self.db:
            for line in lines:
                message_id = str(uuid.uuid4())
                try:
                    body = body_of(line, message_id)
                    body_hash = hashlib.sha256(self.topic.encode() + b'\0' + body).hexdigest()
                    row = (message_id, self.topic, body, body_hash)
                    self.one('INSERT INTO outbox (id, topic, body, hash) VALUES (?, ?, ?, ?)', *row)
                except (ValueError, RecursionError) as error:
                    row = (None, self.topic, line, str(error))
                    self.one('INSERT INTO rejected VALUES (?, ?, ?, ?)', *row)
                self.position += len(line)
                self.one('REPLACE INTO input VALUES (1, ?)', self.position)

    def settle(self, receipt):
        """Takes out the message that a receipt answers; none where it answers none of ours."""
        body_hash, outcome = ascii(receipt.get('bodyHash')).strip("'"), receipt.get('outcome')
        row = self.one('SELECT number, id, topic, body FROM outbox WHERE hash = ?', body_hash)
        # An id that the bridge could not read is left out; any other has to be that of the body.
        if not row or receipt.get('id', row[1]) != row[1]:
            return
        if outcome == 'rejected':
            self.one('INSERT INTO rejected VALUES (?, ?, ?, ?)', *row[1:], json.dumps(receipt))
        if outcome in ('accepted', 'duplicate', 'rejected'):
            self.one('DELETE FROM outbox WHERE number = ?', row[0])
            self.waiting.pop(row[0], None)
            print(outcome, row[1], flush=True)

    def send_due(self, client):
        """Sends the oldest message that is due. False when every message has its receipt."""
        room, newest = UNRECEIPTED_MAX - len(self.waiting), max(self.waiting, default=0)
        if not self.one('SELECT 1 FROM outbox WHERE number > ?', newest):
            self.take()
        query = 'SELECT number FROM outbox WHERE number > ? ORDER BY number LIMIT ?'
        for (number,) in self.db.execute(query, (newest, room)):
            self.waiting[number] = (0.0, self.args.timeout)
        now = time.monotonic()
        due = [number for number, (at, _) in self.waiting.items() if at <= now]
        if due and now >= self.next_send:
            number, self.next_send = min(due), now + SEND_SECONDS
            timeout = self.waiting[number][1]
            again = now + timeout * random.uniform(1, 1.25)
            self.waiting[number] = (again, min(timeout * 2, 600.0))  # up to ten minutes
            message = self.one('SELECT topic, body FROM outbox WHERE number = ?', number)
            client.publish(*message, qos=1)
        return bool(self.waiting)

    def on_message(self, _client, _userdata, message):
        with self.db, contextlib.suppress(RecursionError):  # nested too deep
            for receipt in receipts_in(message.payload, self.args.route):
                self.settle(receipt)

    def session(self):
        """One connection, to its end; True when every message has its receipt. Each has a client
        of its own, for Paho would repeat what was in flight: the outbox alone says what is sent."""
        args, self.granted = self.args, []
        self.waiting = {number: (0.0, timeout) for number, (_, timeout) in self.waiting.items()}
        version = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, 'CallbackAPIVersion') else []
        client = mqtt.Client(*version, client_id=args.device)
        client.on_message, receipts = self.on_message, f'tollbridge/{args.device}/receipts'
        client.on_connect = lambda *_: client.subscribe(receipts, qos=1)
        client.on_subscribe = lambda *said: self.granted.extend(said[3])
        client.max_inflight_messages_set(UNRECEIPTED_MAX)
        if args.ca:
            client.tls_set(args.ca, args.cert, args.key)
        client.connect(args.host, args.port, keepalive=60)
        while client.loop(SEND_SECONDS) == mqtt.MQTT_ERR_SUCCESS and 0x80 not in self.granted:
            if self.granted and not self.send_due(client):
                client.disconnect()
                return True
        return False


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Sends each line of INPUT, a JSON object, once.')
    parser.add_argument('input')
    parser.add_argument('--device', required=True, help='thing name, which is the client id too')
    for name, default in {'host': 'localhost', 'port': 1883, 'ca': '', 'cert': None, 'key': None,
                          'route': 'charges', 'topic': 'billing/{device}/charges',
                          'outbox': 'outbox.db', 'timeout': 30.0}.items():
        parser.add_argument(f'--{name}', default=default, type=type(default or ''))
    device, pause = Device(parser.parse_args()), 1
    while True:
        try:
            if device.session():
                break
            print('the connection ended, or its subscription was refused', file=sys.stderr)
        except OSError as error:
            print(error, file=sys.stderr)
        pause = 1 if device.granted and 0x80 not in device.granted else min(pause * 2, 60)
        time.sleep(pause * random.uniform(1, 1.25) * device.args.timeout / 30)
    rejected = device.one('SELECT count(*) FROM rejected')[0]
    sys.exit(f'{rejected} rejected: see that table of {device.args.outbox}' if rejected else 0)
