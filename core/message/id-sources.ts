/**
 * Reads ids from where the configuration says they are. A part that is missing, empty, no scalar
 * or too long is a rejection with its reason, never a guess: an empty part would make strangers
 * equal.
 *
 * Marks of version 1: `seq:` epoch `:` digits, `tim:` epoch milliseconds, `sha:` hash, `cor:`
 * base64, `all:` and the JSON array of the encoded parts.
 */
import { canonicalJson } from '../base/canonical.ts';
import { bodyHashOf } from '../base/hash.ts';
import { readInstant } from '../base/instant.ts';
import { fieldAt, isJsonNumber, type JsonObject, type JsonValue } from '../base/json.ts';
import type { ContentHashSource, IdPart, IdSource, SequenceSource } from '../config/sources.ts';
import type { Delivery } from './envelope.ts';
import { encodeId, type IdReading, idText, readId, readTextId, withinLength } from './id.ts';
import { levelOf } from './topics.ts';

/** A number that a device counted, for finding gaps. */
export interface Counted {
  /** Encoded like an id. */
  readonly epoch: string;
  /** Digits of a non-negative integer. */
  readonly number: string;
}

export interface FoundIn {
  readonly delivery: Delivery;
  /** Empty where the body is not a JSON object and nothing in the route looks inside. */
  readonly body: JsonObject;
}

export function readIdFrom(source: IdSource, found: FoundIn): IdReading {
  if (source.from !== 'all') return readPart(source, found);
  const keys: string[] = [];
  for (const part of source.parts) {
    const reading = readPart(part, found);
    if (!reading.ok) return reading;
    keys.push(encodeId(reading.id));
  }
  return made('the joined id', `all:${JSON.stringify(keys)}`);
}

/** The counted number of an id, where its source (or one of its parts) is a sequence. */
export function countedIn(source: IdSource, found: FoundIn): Counted | null {
  const parts = source.from === 'all' ? source.parts : [source];
  const sequence = parts.find((part) => part.from === 'sequence');
  if (sequence === undefined) return null;
  const reading = readCounted(sequence, found);
  return reading.ok ? { epoch: reading.epoch, number: reading.number } : null;
}

function readPart(part: IdPart, found: FoundIn): IdReading {
  switch (part.from) {
    case 'payload':
      return readId(fieldAt(found.body, part.path), `the id (${part.path})`);
    case 'topic-level':
      return readTextId(
        levelOf(found.delivery.topic, part.level) ?? '',
        `topic level ${part.level}`,
      );
    case 'sequence':
      return readSequence(part, found);
    case 'timestamp':
      return readTimeId(fieldAt(found.body, part.path), part.path);
    case 'content-hash':
      return readHash(part, found);
    case 'user-property':
      return readUserProperty(part.name, found.delivery);
    case 'correlation-data':
      return readCorrelationData(found.delivery);
  }
}

type CountedReading =
  | ({ readonly ok: true; readonly told: string } & Counted)
  | Extract<IdReading, { ok: false }>;

function readCounted(source: SequenceSource, { body }: FoundIn): CountedReading {
  const epoch = readId(fieldAt(body, source.epochPath), `the epoch (${source.epochPath})`);
  if (!epoch.ok) return epoch;
  const where = `the sequence number (${source.path})`;
  const value = fieldAt(body, source.path);
  if (value === undefined || value === null || value === '') return missing(where);
  const digits = isJsonNumber(value) ? value.value : value;
  // One way to write each number: 7, "7" and no 07, or one number would be two ids.
  if (typeof digits !== 'string' || !/^(?:0|[1-9]\d*)$/.test(digits)) {
    return invalid(where, 'is not a non-negative integer');
  }
  return { ok: true, epoch: encodeId(epoch.id), number: digits, told: idText(epoch.id) };
}

function readSequence(source: SequenceSource, found: FoundIn): IdReading {
  const counted = readCounted(source, found);
  if (!counted.ok) return counted;
  // Digits hold no colon, so the last one parts epoch and number whatever the epoch holds.
  const { epoch, number, told } = counted;
  return made('the sequence id', `seq:${epoch}:${number}`, `${told}:${number}`);
}

function readTimeId(value: JsonValue | undefined, path: string): IdReading {
  const where = `the time (${path})`;
  if (value === undefined || value === null || value === '') return missing(where);
  const time = readInstant(value);
  if (time === undefined) {
    return invalid(where, 'is neither RFC 3339 with its offset nor integer epoch milliseconds');
  }
  return made(where, `tim:${time}`);
}

function readHash({ paths }: ContentHashSource, { delivery, body }: FoundIn): IdReading {
  if (paths.length === 0)
    return made('the hash', `sha:${bodyHashOf(delivery.topic, delivery.body)}`);
  const fields: Record<string, JsonValue> = Object.create(null);
  for (const path of paths) {
    const value = fieldAt(body, path);
    const where = `the field ${path} of the content hash`;
    if (value === undefined || value === null || value === '') return missing(where);
    if (typeof value === 'object' && !isJsonNumber(value)) return invalid(where, 'is no scalar');
    fields[path] = value;
  }
  const text = canonicalJson(fields, []);
  return made('the hash', `sha:${bodyHashOf(delivery.topic, Buffer.from(text))}`);
}

function readUserProperty(name: string, { userProperties }: Delivery): IdReading {
  const where = `the user property ${name}`;
  const values = (userProperties ?? []).filter(([key]) => key === name);
  const [first] = values;
  if (first === undefined) return missing(where);
  if (values.length > 1) return invalid(where, 'is there more than once');
  return readTextId(first[1], where);
}

function readCorrelationData({ correlationData }: Delivery): IdReading {
  const where = 'the correlation data';
  if (correlationData === undefined || correlationData === '') return missing(where);
  // Lone surrogates all become U+FFFD in UTF-8, and strangers would share one key.
  if (!correlationData.isWellFormed()) return invalid(where, 'is not well-formed Unicode');
  return made(where, `cor:${correlationData}`, correlationData);
}

function made(where: string, key: string, told = key): IdReading {
  return withinLength(where, { kind: 'made', key, told });
}

function missing(where: string): Extract<IdReading, { ok: false }> {
  return { ok: false, reason: 'missing-id', detail: `${where} is missing or empty` };
}

function invalid(where: string, fault: string): Extract<IdReading, { ok: false }> {
  return { ok: false, reason: 'invalid-id', detail: `${where} ${fault}` };
}
