#!/usr/bin/env python3
"""A device that leaves sending again to Paho: what has no PUBACK goes out by itself on the next
connection. Only a message whose receipt was lost is published once more, after its time-out.
Prints `receipts …` for each publication of receipts. With --once it publishes each message once
and prints what Paho says of its PUBACK."""
import argparse, hashlib, json, time
import paho.mqtt.client as mqtt

TIMEOUT_SECONDS = 1.5  # the first, shorter than the protocol's; each is twice the one before
RECONNECT_SECONDS = 0.1
AT_ONCE = 10


class Device:
    """`waiting` has the messages without a receipt, by the hash of the body: when it is due again,
    its next time-out, and the message."""

    def __init__(self, args):
        with open(args.input) as file:
            self.queue = json.load(file)
        self.receipts = f'tollbridge/{args.device}/receipts'
        self.waiting, self.is_subscribed = {}, False
        if args.mqtt == '5':
            self.client = mqtt.Client(client_id=args.device, protocol=mqtt.MQTTv5)
        else:
            self.client = mqtt.Client(client_id=args.device, clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe(self.receipts, qos=1)
        self.client.on_subscribe = self.on_subscribe
        self.client.on_message = self.on_message

    def on_subscribe(self, *_):
        self.is_subscribed = True

    def on_message(self, _client, _userdata, message):
        print('receipts', message.payload.decode(), flush=True)
        for receipt in json.loads(message.payload)['receipts']:
            self.waiting.pop(receipt['bodyHash'], None)

    def publish_due(self):
        while self.queue and len(self.waiting) < AT_ONCE:
            message = self.queue.pop(0)
            data = message['topic'].encode() + b'\0' + message['body'].encode()
            self.waiting[hashlib.sha256(data).hexdigest()] = [0.0, TIMEOUT_SECONDS, message]
        for entry in self.waiting.values():
            if entry[0] <= time.monotonic():
                entry[:2] = time.monotonic() + entry[1], 2 * entry[1]
                self.client.publish(entry[2]['topic'], entry[2]['body'], qos=1)

    def turn(self):
        """One turn of Paho's loop; connects again when the connection is over."""
        if self.client.loop(0.02) == mqtt.MQTT_ERR_SUCCESS:
            return
        time.sleep(RECONNECT_SECONDS)
        self.client.reconnect()

    def run(self):
        while not self.is_subscribed:
            self.turn()
        while self.queue or self.waiting:
            self.publish_due()
            self.turn()

    def publish_once(self):
        said = []
        self.client.on_publish = lambda *words: said.append(words[2:])
        while not self.is_subscribed:
            self.turn()
        for message in self.queue:
            self.client.publish(message['topic'], message['body'], qos=1)
        while len(said) < len(self.queue):
            self.turn()
        for (mid, *more) in said:
            print(f'puback on_publish(mid={mid})', *more, flush=True)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    for name in ('input', 'device', 'mqtt', 'host', 'port'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--once', action='store_true')
    args = parser.parse_args()
    device = Device(args)
    device.client.connect(args.host, int(args.port), keepalive=60)
    device.publish_once() if args.once else device.run()
    device.client.disconnect()
