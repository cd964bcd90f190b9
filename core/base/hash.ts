import { hash } from 'node:crypto';

const BODY_HASH = /^[0-9a-f]{64}$/;

/**
 * SHA-256, lower-case hex, of the topic (UTF-8, without Basic Ingest's prefix), one zero byte, and
 * the payload bytes as the device sent them. The zero byte keeps topic and payload apart: a topic
 * cannot hold one (MQTT 3.1.1 §4.7.3).
 */
export function bodyHashOf(topic: string, body: Uint8Array): string {
  const topicBytes = Buffer.byteLength(topic);
  // Copied together, for one call on all bytes costs less than a hash object does.
  const bytes = Buffer.allocUnsafe(topicBytes + 1 + body.length);
  bytes.write(topic);
  bytes[topicBytes] = 0;
  bytes.set(body, topicBytes + 1);
  return hash('sha256', bytes, 'hex');
}

/** Whether a value that came over the wire has the form of a `bodyHash`. */
export function isBodyHash(value: unknown): value is string {
  return typeof value === 'string' && BODY_HASH.test(value);
}
