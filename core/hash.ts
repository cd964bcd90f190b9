import { createHash } from 'node:crypto';

/**
 * SHA-256, lower-case hex, of the topic (UTF-8, without Basic Ingest's prefix), one zero byte, and
 * the payload bytes as the device sent them. The zero byte keeps topic and payload apart: a topic
 * cannot hold one (MQTT 3.1.1 §4.7.3).
 */
export function bodyHashOf(topic: string, body: Uint8Array): string {
  return createHash('sha256').update(topic, 'utf8').update('\0').update(body).digest('hex');
}
