/**
 * Cuts a byte stream into MQTT control packets without changing a byte. Owns the bytes of the
 * packet that is not complete yet; every byte that is pushed comes out once, in order.
 */

/** A stream that is not MQTT; nothing after the fault can be read. */
class MalformedStreamError extends Error {
  override readonly name = 'MalformedStreamError';
}

export interface PacketFrames {
  /** Takes bytes as they come and gives back the packets that they complete. */
  push(chunk: Buffer): readonly Buffer[];
}

/** MQTT 3.1.1 §2.2.3: the length takes one to four bytes of seven bits each. */
const LENGTH_BYTES_MAX = 4;

export function packetFrames(): PacketFrames {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let wanted = 2;
  return {
    push(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      // A large packet comes in many chunks: they are joined when they can be enough, not each time.
      if (bytes < wanted) return [];
      let rest = Buffer.concat(chunks);
      const frames: Buffer[] = [];
      for (;;) {
        wanted = frameBytes(rest);
        if (rest.length < wanted) break;
        frames.push(rest.subarray(0, wanted));
        rest = rest.subarray(wanted);
      }
      chunks = [rest];
      bytes = rest.length;
      return frames;
    },
  };
}

/** How many bytes the first packet has, or, while its header is not complete, one more than there are. */
function frameBytes(buffer: Buffer): number {
  let length = 0;
  for (let index = 0; index < LENGTH_BYTES_MAX; index += 1) {
    const byte = buffer[index + 1];
    if (byte === undefined) return Math.max(2, buffer.length + 1);
    length += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return index + 2 + length;
  }
  throw new MalformedStreamError(
    `The length of an MQTT packet has more than ${LENGTH_BYTES_MAX} bytes.`,
  );
}
