/** Reads a message that arrived: its id, and the bridge's envelope. */
import { createHash } from 'node:crypto';
import { FORWARD_ID, readForwardEnvelope } from '../../core/wire/forward.ts';
import type { Inbound } from '../ports.ts';
import type { ReceivedMessage } from './types.ts';

/** The longest is route, device and id, each within its limit, with signs between them. */
const ID_BYTES_MAX = 2048;

/** The message, and why it has no id when it has none. */
export interface InboundReading {
  readonly message: ReceivedMessage;
  readonly fault: string | undefined;
}

/** The id stands in the user property (MQTT 5) and in the envelope; one of them is enough. */
export function readInbound(inbound: Inbound): InboundReading {
  const { forwardId, forward } = readForwardEnvelope(inbound.payload);
  const named = inbound.userProperties.filter(([name]) => name === FORWARD_ID).map(([, id]) => id);
  const ids = new Set<unknown>(forwardId === undefined ? named : [...named, forwardId]);
  const [id] = ids;
  const fault = idFault(ids);
  const known = fault === undefined && typeof id === 'string' ? id : undefined;
  return { message: { ...inbound, id: known, forward }, fault };
}

function idFault(ids: ReadonlySet<unknown>): string | undefined {
  const [id] = ids;
  if (ids.size === 0) return `neither a user property nor the body has a ${FORWARD_ID}`;
  if (ids.size > 1) return `the message has ${ids.size} different values of ${FORWARD_ID}`;
  if (typeof id !== 'string') return `${FORWARD_ID} is not a string`;
  if (id === '') return `${FORWARD_ID} is empty`;
  const bytes = Buffer.byteLength(id);
  return bytes > ID_BYTES_MAX
    ? `${FORWARD_ID} has ${bytes} bytes; up to ${ID_BYTES_MAX} are read`
    : undefined;
}

/** What a message is kept under: as long as it may be, of a fixed length. */
export function messageKey({ id, topic, payload }: ReceivedMessage): string {
  const hash = createHash('sha256');
  if (id === undefined) hash.update('body').update(topic).update('\0').update(payload);
  else hash.update('id').update(JSON.stringify(id));
  return hash.digest('base64url');
}
