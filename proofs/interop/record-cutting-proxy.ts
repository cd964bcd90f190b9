/**
 * A TCP proxy in front of MQTT with TLS that loses what a network loses, without a key: TLS hides
 * the bytes of a packet and not its length, and behind a PUBLISH the one packet of four bytes is its
 * PUBACK. Client and broker talk TLS with one another alone. Owns its listening socket and both
 * sockets of every connection.
 *
 * Invariants: records pass unchanged and in order; after a cut nothing passes in either direction;
 * nothing is cut before the client has sent its CONNECT.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import type { Chance } from '../../local/contracts.ts';
import { listenOn } from '../../local/listen.ts';

export interface RecordCuttingProxyOptions {
  readonly targetPort: number;
  readonly chance: Chance;
  /** As that of the proxy without TLS: the chance of a lost PUBACK, half of it of a lost PUBLISH. */
  readonly loss: number;
}

type TlsVersion = 'TLS 1.2' | 'TLS 1.3';

export interface RecordCuttingProxy {
  readonly port: number;
  /** How many connections were cut on purpose. */
  cuts(): number;
  /** How many of them before a PUBACK. */
  lostPubacks(): number;
  /** The versions of TLS that brokers have chosen. */
  readonly versions: ReadonlySet<TlsVersion>;
  close(): Promise<void>;
}

const HEADER_BYTES = 5;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const SERVER_HELLO = 2;
/** RFC 8446 §4.4.4: a header and a hash of SHA-256 or SHA-384. */
const FINISHED_BYTES: readonly number[] = [4 + 32, 4 + 48];
/** Shorter ones are SUBSCRIBE, PUBACK, PINGREQ; the bodies of billing messages are longer. */
const PUBLISH_BYTES_MIN = 100;
/** Of MQTT 3.1.1, and of MQTT 5 where it has nothing to say. */
const PUBACK_BYTES = 4;
/** Brokers may write several PUBACKs at once; what is longer is a receipt. */
const PUBACKS_MAX = 16;

export async function createRecordCuttingProxy(
  options: RecordCuttingProxyOptions,
): Promise<RecordCuttingProxy> {
  const sockets = new Set<Socket>();
  const versions = new Set<TlsVersion>();
  const counts = { publish: 0, puback: 0 };
  const server = createServer((client) => {
    const broker = createConnection({ host: '127.0.0.1', port: options.targetPort });
    for (const socket of [client, broker]) {
      sockets.add(socket.setNoDelay(true));
      socket.once('close', () => sockets.delete(socket));
    }
    const judge = connectionJudge(options, versions);
    const judged = (direction: 'up' | 'down') =>
      wholeRecords((record) => {
        const verdict = judge[direction](record);
        if (verdict === 'pass') return true;
        counts[verdict] += 1;
        client.destroy();
        broker.destroy();
        return false;
      });
    // A pipeline that fails ends its sockets, and with them the other pipeline.
    pipeline(client, judged('up'), broker, () => broker.destroy());
    pipeline(broker, judged('down'), client, () => client.destroy());
  });
  const port = await listenOn(server, 0, '127.0.0.1', 'the proxy');
  return {
    port,
    cuts: () => counts.publish + counts.puback,
    lostPubacks: () => counts.puback,
    versions,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

type Verdict = 'pass' | 'publish' | 'puback';

/** How an encrypted connection begins, and what each step of the client's is told by. */
type Phase = 'handshake' | 'connect' | 'session';

/** What is to happen to the records of one connection. */
function connectionJudge({ chance, loss }: RecordCuttingProxyOptions, versions: Set<TlsVersion>) {
  let cipher: Cipher | undefined;
  let phase: Phase = 'handshake';
  let isDoomed = false;

  function plainBytes(record: Buffer): number {
    if (record[0] !== APPLICATION_DATA || cipher === undefined) return 0;
    return record.length - HEADER_BYTES - cipher.overheadBytes;
  }

  function advance(bytes: number): void {
    if (phase === 'connect') phase = 'session';
    if (phase === 'handshake' && FINISHED_BYTES.includes(bytes)) phase = 'connect';
  }

  return {
    up(record: Buffer): Verdict {
      const bytes = plainBytes(record);
      if (bytes === 0) return 'pass';
      if (phase !== 'session') advance(bytes);
      else if (bytes >= PUBLISH_BYTES_MIN) {
        if (chance.happens(loss)) isDoomed = true;
        else if (chance.happens(loss / 2)) return 'publish';
      }
      return 'pass';
    },
    down(record: Buffer): Verdict {
      if (cipher === undefined) {
        cipher = cipherOf(record);
        if (cipher !== undefined) versions.add(cipher.version);
        // Only TLS 1.3 has parts of the handshake look like data.
        if (cipher?.version === 'TLS 1.2') phase = 'connect';
      }
      const bytes = plainBytes(record);
      const isPuback = bytes % PUBACK_BYTES === 0 && bytes / PUBACK_BYTES <= PUBACKS_MAX;
      return isDoomed && isPuback && bytes > 0 ? 'puback' : 'pass';
    },
  };
}

interface Cipher {
  /** What encryption adds to the bytes of a record. */
  readonly overheadBytes: number;
  readonly version: TlsVersion;
}

/**
 * The server's choice, if the record is its hello. RFC 8446 §4.1.3: type, length of 3 bytes,
 * version, 32 random bytes, session id, cipher suite.
 */
function cipherOf(record: Buffer): Cipher | undefined {
  if (record[0] !== HANDSHAKE || record[HEADER_BYTES] !== SERVER_HELLO) return undefined;
  const sessionId = HEADER_BYTES + 4 + 2 + 32;
  const suite = record.readUInt16BE(sessionId + 1 + record.readUInt8(sessionId));
  // TLS 1.3: the record's true type and a tag of 16 bytes.
  if (suite >> 8 === 0x13) return { overheadBytes: 1 + 16, version: 'TLS 1.3' };
  // TLS 1.2, RFC 7905 (ChaCha20): a tag; RFC 5288 (AES-GCM): 8 bytes of a nonce as well.
  return { overheadBytes: suite >> 8 === 0xcc ? 16 : 8 + 16, version: 'TLS 1.2' };
}

/** Passes whole TLS records on while `judge` says so; what is held back then is dropped. */
function wholeRecords(judge: (record: Buffer) => boolean): Transform {
  let rest = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_BYTES) {
        const bytes = HEADER_BYTES + rest.readUInt16BE(3);
        if (rest.length < bytes) break;
        const record = rest.subarray(0, bytes);
        rest = rest.subarray(bytes);
        if (!judge(record)) return;
        this.push(record);
      }
      callback();
    },
  });
}
