/** What devices and receivers are sent, and what devices ask: receipts, forwards, requests. */
import fc from 'fast-check';
import { MQTT_PAYLOAD_BYTES_MAX } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import type { MessageId } from '../../core/message/id.ts';
import { forwardOf } from '../../core/wire/forward.ts';
import { type Receipt, readReceipts, receiptPayloads } from '../../core/wire/receipts.ts';
import { messageKey, readInbound } from '../../device/receiver/message.ts';
import { HandshakeHarness } from '../../tools/handlers/handshake.ts';
import {
  BODY,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../tools/handlers/samples.ts';
import { anyBody, bodyText } from './bodies.ts';
import { mutated, rawBytes, rawText } from './bytes.ts';
import { fail } from './fail.ts';
import { numberText } from './numbers.ts';
import { type Target, targetOf } from './target.ts';

const HASH = 'a1'.repeat(32);
const anyId: fc.Arbitrary<MessageId> = fc.oneof(
  rawText
    .filter((text) => text !== '' && text.isWellFormed())
    .map((text) => ({ kind: 'text' as const, text })),
  fc.bigInt().map((digits) => ({ kind: 'integer' as const, digits: String(digits) })),
);
const receipt: fc.Arbitrary<Receipt> = fc.oneof(
  fc.record({
    outcome: fc.constantFrom('accepted' as const, 'duplicate' as const),
    id: fc.option(anyId, { nil: undefined }),
    bodyHash: fc.constant(HASH),
    bookedAt: fc.nat(8.64e15 - 1).map(epochMillis),
  }),
  fc.record({
    outcome: fc.constant('rejected' as const),
    id: fc.option(anyId, { nil: undefined }),
    bodyHash: fc.constant(HASH),
    reason: fc.constantFrom('conflict', 'late', 'invalid-body'),
    detail: rawText,
    fields: fc.option(fc.array(rawText, { maxLength: 3 }), { nil: undefined }),
  }),
  fc.record({ outcome: fc.constant('completed' as const), id: anyId }),
  fc.record({ outcome: fc.constant('unknown' as const), id: anyId, bodyHash: fc.constant(HASH) }),
);

const oddJson = fc.oneof(
  fc.constantFrom('null', '[]', '{}', '""', '-1', '1.5', '8640000000000001', `"${HASH}"`, 'true'),
  rawText.map((text) => JSON.stringify(text)),
  numberText,
  fc.constantFrom('{"__proto__":{"outcome":"accepted"}}', '['.repeat(70) + ']'.repeat(70)),
);
const mostly = (good: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: oddJson });
const some = (good: string) => mostly(fc.constant(good));
/** A JSON object that lacks a member now and then. */
const object = (members: Readonly<Record<string, fc.Arbitrary<string>>>) =>
  fc
    .tuple(
      ...Object.entries(members).map(([name, text]) =>
        fc.option(
          text.map((value) => `"${name}":${value}`),
          { freq: 14 },
        ),
      ),
    )
    .map((parts) => `{${parts.filter((part) => part !== null).join(',')}}`);
const answerText = object({
  outcome: fc.oneof(
    fc.constantFrom('"accepted"', '"duplicate"', '"rejected"', '"completed"', '"unknown"'),
    some('"accepted"'),
  ),
  bodyHash: some(`"${HASH}"`),
  id: fc.oneof(fc.constantFrom('"c-1"', '1'), some('"c-1"')),
  bookedAt: some('1795217651000'),
  reason: some('"late"'),
  detail: some('"it came late"'),
  fields: some('["kWh"]'),
});
const receiptsText = object({
  v: some('1'),
  route: some('"charges"'),
  receipts: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(fc.oneof(answerText, answerText, oddJson), { maxLength: 4 }).map(list),
    },
    { weight: 1, arbitrary: oddJson },
  ),
});

function list(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

const long = fc
  .constantFrom<() => string>(
    () => `{"v":1,"route":"r","receipts":[${'1,'.repeat(60_000)}1]}`,
    () => `{"v":1,"route":"r","receipts":[${'{"outcome":"x"},'.repeat(8_000)}{}]}`,
    () => 'x'.repeat(MQTT_PAYLOAD_BYTES_MAX + 1),
    () => '['.repeat(100_000),
    () => `{"v":1,"route":"${'r'.repeat(100_000)}","receipts":[]}`,
  )
  .map((make) => Buffer.from(make()));
const receiptsBytes = fc.oneof(
  { weight: 60, arbitrary: receiptsText.map((text) => Buffer.from(text)) },
  { weight: 20, arbitrary: mutated(receiptsText) },
  { weight: 10, arbitrary: rawBytes },
  { weight: 1, arbitrary: long },
);

/** The device's reader: what the bridge writes comes back whole, and the rest is told as odd. */
export const receipts: Target = targetOf({
  name: 'receipts',
  share: 10_000,
  reaches: [
    ...['refused', 'odd', 'accepted', 'duplicate', 'rejected', 'completed', 'unknown'],
    'written and read',
  ],
  inputs: fc.record({ bytes: receiptsBytes, written: fc.array(receipt, { maxLength: 5 }) }),
  open: () => ({
    check({ bytes, written }) {
      assertReadBack(written);
      const reading = readReceipts(bytes);
      if (!reading.ok) return ['refused', 'written and read'];
      reading.receipts.forEach(assertWhole);
      return [
        'written and read',
        ...(reading.odd.length > 0 ? ['odd'] : []),
        ...reading.receipts.map(({ outcome }) => outcome),
      ];
    },
  }),
});

function assertReadBack(written: readonly Receipt[]): void {
  const read = receiptPayloads('charges', written).flatMap((payload) => {
    const reading = readReceipts(Buffer.from(payload));
    if (!reading.ok) return fail('the device cannot read its receipts', reading.detail);
    if (reading.odd.length > 0) fail('a receipt is odd to the device', reading.odd);
    return reading.receipts;
  });
  const named = (one: Receipt) => JSON.stringify([one.outcome, one.id]);
  const [sent, got] = [written.map(named), read.map(named)];
  if (sent.join() !== got.join()) fail('receipts were read as others', sent, got);
}

/** Nothing that was read is without what its outcome needs. */
function assertWhole(answer: Receipt): void {
  if (answer.outcome !== 'completed' && !/^[0-9a-f]{64}$/.test(answer.bodyHash)) {
    fail('an answer without a hash', answer);
  }
  if ('bookedAt' in answer && !(answer.bookedAt >= 0 && answer.bookedAt <= 8.64e15)) {
    fail('an answer with a time that is none', answer);
  }
}

const forwardText = object({
  v: some('1'),
  route: some('"charges"'),
  device: some('"dev-1"'),
  'tollbridge-id': some('"charges#dev-1#c-1"'),
  id: some('"c-1"'),
  body: fc.oneof(bodyText, oddJson),
  bodyBase64: some('"AAE="'),
  duplicate: some('true'),
  unverified: some('true'),
});
const properties = fc.array(
  fc.tuple(
    fc.constantFrom('tollbridge-id', 'tollbridge-id', 'duplicate', '__proto__', ''),
    fc.oneof(fc.constantFrom('charges#dev-1#c-1', '', 'x'.repeat(2_049)), rawText),
  ),
  { maxLength: 3 },
);

/** The receiver's reader: a forward comes back with its id, and what has none says why. */
export const forwards: Target = targetOf({
  name: 'forwards',
  share: 10_000,
  reaches: ['an envelope', 'an id alone', 'no id', 'forwarded and read', 'refused topic'],
  inputs: fc.record({
    payload: fc.oneof(
      { weight: 6, arbitrary: forwardText.map((text) => Buffer.from(text)) },
      { weight: 2, arbitrary: mutated(forwardText) },
      { weight: 2, arbitrary: anyBody },
    ),
    properties,
    device: fc.oneof(fc.constantFrom('dev-1', 'a+b', ''), rawText),
    forwardId: rawText.filter((text) => text !== '' && text.isWellFormed()),
    body: anyBody,
  }),
  open: () => ({
    check({ payload, properties: userProperties, device, forwardId, body }) {
      const arrived = { topic: 'booked/dev-1', qos: 1 as const, retain: false };
      const { message, fault } = readInbound({ ...arrived, payload, userProperties });
      if ((message.id === undefined) !== (fault !== undefined)) fail('neither id nor fault', fault);
      if (messageKey(message).length !== 43) fail('a key of another length', messageKey(message));
      const ends = message.forward === undefined ? [] : ['an envelope'];
      if (fault !== undefined) ends.push('no id');
      else if (message.forward === undefined) ends.push('an id alone');
      const sent = forwardOf({
        ...{ route: 'charges', template: 'booked/{device}', topic: 't', device, forwardId },
        ...{ id: undefined, body, isJson: false, mark: undefined },
      });
      if (!sent.ok) return [...ends, 'refused topic'];
      const back = readInbound({
        ...arrived,
        payload: Buffer.from(sent.publication.payload),
        userProperties: sent.publication.userProperties ?? [],
      });
      if (Buffer.byteLength(forwardId) <= 2_048 && back.message.id !== forwardId) {
        fail('a forward lost its id on the way', back.fault, forwardId);
      }
      const kept = Buffer.from(back.message.forward?.bytes ?? []);
      if (!kept.equals(body)) fail('a forward is not the body that was sent', kept.length);
      return [...ends, 'forwarded and read'];
    },
  }),
});

const askedText = object({
  bodyHash: some(`"${HASH}"`),
  id: mostly(fc.constantFrom('"c-1"', '1')),
});
const requestText = object({
  v: some('1'),
  route: mostly(fc.constantFrom('"charges"', '"events"', '"status"', '"none"')),
  ids: mostly(fc.array(mostly(fc.constantFrom('"c-1"', '1', '"x:1"')), { maxLength: 5 }).map(list)),
  messages: mostly(fc.array(mostly(askedText), { maxLength: 5 }).map(list)),
});
const requestBytes = fc.oneof(
  { weight: 60, arbitrary: requestText.map((text) => Buffer.from(text)) },
  { weight: 20, arbitrary: mutated(requestText) },
  { weight: 10, arbitrary: rawBytes },
  { weight: 1, arbitrary: long },
);

/** What devices ask: answered, or refused with a note, and each answer is one the device reads. */
export const requests: Target = targetOf({
  name: 'requests',
  share: 8_000,
  reaches: [
    ...['answered completed', 'answered accepted', 'answered unknown', 'released', 'refused'],
    ...['nothing to answer', 'in another name'],
  ],
  inputs: fc.record({
    kind: fc.constantFrom('release', 'release', 'query', 'query', 'query', 'receipts', 'x'),
    bytes: requestBytes,
    device: fc.oneof(
      { weight: 8, arbitrary: fc.constant('dev-1') },
      { weight: 1, arbitrary: fc.constantFrom('', 'd'.repeat(129), 'a b') },
      { weight: 1, arbitrary: rawText },
    ),
    clientId: fc.constantFrom<unknown>('same', 'same', 'same', 'dev-2', 'n/a', null, 7),
    trust: fc.constantFrom(null, null, 'a gateway speaks'),
  }),
  open: () => ({ check: asked }),
});

interface Asked {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly device: string;
  readonly clientId: unknown;
  readonly trust: string | null;
}

async function asked(input: Asked): Promise<readonly string[]> {
  const { kind, bytes, device, clientId, trust } = input;
  const changes = { trustTopicLevel: trust };
  const bench = new HandshakeHarness(
    routeOf(changes),
    windowRouteOf(changes),
    stateRouteOf(changes),
  );
  const booked = writeOf();
  await bench.ledger.book(booked);
  await bench.dedupRecords.admit(windowWrite());
  // The very body that is booked is asked for where the drawn hash is not another.
  const payload = Buffer.from(bytes.toString('latin1').replaceAll(HASH, hashOf()), 'latin1');
  await bench.handle({
    body: payload.toString('base64'),
    topic: `tollbridge/${device}/${kind}`,
    clientId: clientId === 'same' ? device : clientId,
    receivedAt: NOW + 60_000,
    deliveryId: 'request-1',
  });
  const ends: string[] = [];
  for (const { topic, payload: told } of bench.published) {
    if (topic !== `tollbridge/${device}/receipts`) fail('answered to another', topic);
    const reading = readReceipts(Buffer.from(told));
    if (!reading.ok || reading.odd.length > 0) return fail('odd to the device', reading, told);
    ends.push(...reading.receipts.map(({ outcome }) => `answered ${outcome}`));
  }
  if ([...bench.counts.keys()].some((name) => name.endsWith('Released'))) ends.push('released');
  if (bench.notes.some((note) => note.includes('another device'))) ends.push('in another name');
  if (bench.notes.includes('request not read')) ends.push('refused');
  if (bench.ledger.rows.size !== 1) fail('a request has made a row', bench.ledger.rows);
  return ends.length > 0 ? ends : ['nothing to answer'];
}

const hashOf = () => writeOf(BODY).first.fingerprint;
