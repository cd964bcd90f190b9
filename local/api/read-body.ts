import type { IncomingMessage } from 'node:http';

/**
 * All bytes of a message. Not by `for await`, nor by `node:stream/consumers`: each costs more than
 * all the rest of the reading.
 */
export async function readAll(message: IncomingMessage): Promise<Buffer> {
  return (await readUpTo(message, Number.POSITIVE_INFINITY)) ?? Buffer.alloc(0);
}

/** The same, or undefined as soon as there are more bytes than allowed; the rest is not read. */
export function readUpTo(message: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      message.pause();
      resolve(undefined);
    });
    message.once('end', () => resolve(Buffer.concat(chunks, bytes)));
    message.once('error', reject);
    message.once('close', () => {
      if (message.complete) return;
      reject(new Error('the connection ended before the message did'));
    });
  });
}
