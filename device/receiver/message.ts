/** Reads a message that arrived: its id, and the bridge's envelope. */
import { createHash } from 'node:crypto';
import {
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  readJsonObject,
} from '../../core/base/json.ts';
import type { Inbound } from '../ports.ts';
import type { ForwardEnvelope, ReceivedMessage } from './types.ts';

const ID_NAME = 'tollbridge-id';
/** The longest is route, device and id, each within its limit, with signs between them. */
const ID_BYTES_MAX = 2048;

/** The message, and why it has no id when it has none. */
export interface InboundReading {
  readonly message: ReceivedMessage;
  readonly fault: string | undefined;
}

/** The id stands in the user property (MQTT 5) and in the envelope; one of them is enough. */
export function readInbound(inbound: Inbound): InboundReading {
  const { told, forward } = readEnvelope(inbound.payload);
  const named = inbound.userProperties.filter(([name]) => name === ID_NAME).map(([, id]) => id);
  const ids = new Set<unknown>(told === undefined ? named : [...named, told]);
  const [id] = ids;
  const fault = idFault(ids);
  const known = fault === undefined && typeof id === 'string' ? id : undefined;
  return { message: { ...inbound, id: known, forward }, fault };
}

function idFault(ids: ReadonlySet<unknown>): string | undefined {
  const [id] = ids;
  if (ids.size === 0) return `neither a user property nor the body has a ${ID_NAME}`;
  if (ids.size > 1) return `the message has ${ids.size} different values of ${ID_NAME}`;
  if (typeof id !== 'string') return `${ID_NAME} is not a string`;
  if (id === '') return `${ID_NAME} is empty`;
  const bytes = Buffer.byteLength(id);
  return bytes > ID_BYTES_MAX
    ? `${ID_NAME} has ${bytes} bytes; up to ${ID_BYTES_MAX} are read`
    : undefined;
}

interface Envelope {
  /** What stands under the id's name. */
  readonly told: unknown;
  readonly forward: ForwardEnvelope | undefined;
}

function readEnvelope(payload: Uint8Array): Envelope {
  const reading = readJsonObject(payload);
  // A body may nest as deep as that reader allows; in its envelope it is one level deeper.
  if (!reading.ok) return { told: idAlone(payload), forward: undefined };
  const fields: Readonly<Record<string, JsonValue>> = { ...reading.value };
  const { v, route, device, id, body, bodyBase64 } = fields;
  const isForward =
    isJsonNumber(v) && v.value === '1' && typeof route === 'string' && typeof device === 'string';
  if (!isForward) return { told: fields[ID_NAME], forward: undefined };
  const forward: ForwardEnvelope = {
    route,
    device,
    id: isJsonNumber(id) ? id.value : typeof id === 'string' ? id : undefined,
    body: isJsonObject(body) ? body : undefined,
    bytes: typeof bodyBase64 === 'string' ? Buffer.from(bodyBase64, 'base64') : undefined,
    duplicate: fields.duplicate === true,
    unverified: fields.unverified === true,
  };
  return { told: fields[ID_NAME], forward };
}

function idAlone(payload: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return typeof value === 'object' && value !== null && Object.hasOwn(value, ID_NAME)
      ? Reflect.get(value, ID_NAME)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a message is kept under: as long as it may be, of a fixed length. */
export function messageKey({ id, topic, payload }: ReceivedMessage): string {
  const hash = createHash('sha256');
  if (id === undefined) hash.update('body').update(topic).update('\0').update(payload);
  else hash.update('id').update(JSON.stringify(id));
  return hash.digest('base64url');
}
