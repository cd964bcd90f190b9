/** What reaches the function behind the routes: bodies, topics, envelopes, and events of any kind. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { epochMillis } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { readMessage } from '../../core/message/message.ts';
import { HandshakeHarness } from '../../tools/handlers/handshake.ts';
import { envelopeOf, queueEvent } from '../../tools/handlers/ingest.ts';
import {
  BODY,
  deliveryOf,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
} from '../../tools/handlers/samples.ts';
import { anyBody, anyRoute, bodyText } from './bodies.ts';
import { mutatedText, rawText } from './bytes.ts';
import { ALL_REASONS, Bench, type PortFault } from './ends.ts';
import { fail } from './fail.ts';
import { type Target, targetOf } from './target.ts';

const TOPIC = 'billing/dev-1/charges';
const properties = { userProperties: [{ id: 'u-1' }], correlationData: 'AAE=' };
const portFault: fc.Arbitrary<PortFault> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('none' as const) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('throttled', 'refused', 'after-write', 'quarantine-down'),
  },
);
/** In front of `rejected: stale`, which stands in no row. */
const rejections = (...left: readonly string[]) =>
  ALL_REASONS.filter((reason) => !left.includes(reason)).map((reason) => `rejected: ${reason}`);
const BOOKED = ['accepted', 'resumed', 'duplicate', 'conflict', 'rejected', 'stale'];

/** The way of one body: perhaps a port that fails, then the delivery, a copy of it, and another. */
export const bodies: Target = targetOf({
  name: 'bodies',
  share: 10_000,
  reaches: [
    ...BOOKED,
    ...['unverified', 'failed, a port did'],
    ...rejections('unreadable-envelope', 'wrong-topic', 'missing-device', 'wrong-device'),
  ],
  inputs: fc.record({
    route: anyRoute,
    body: anyBody,
    other: fc.oneof(anyBody, fc.constant(Buffer.from(BODY))),
    fault: portFault,
  }),
  open: () => ({
    async check({ route, body, other, fault }) {
      const bench = new Bench(route);
      const delivery = deliveryOf(body, bodyChanges);
      const reading = readMessage(route, delivery);
      if (!isDeepStrictEqual(reading, readMessage(route, delivery))) fail('read in two ways');
      const first = envelopeOf('d-1', body, 'dev-1', properties);
      await bench.failing([first], fault);
      await bench.settled([first]);
      bench.assertKept(TOPIC, body);
      const before = bench.rows();
      await bench.settled([first, envelopeOf('d-2', body, 'dev-1', properties)]);
      if (route.guarantee !== 'deduplicated') bench.assertUnchanged(before);
      await bench.settled([
        envelopeOf('d-3', other, 'dev-1', properties),
        envelopeOf('d-4', body, 'dev-1', properties),
      ]);
      return bench.ends();
    },
  }),
});

const bodyChanges = {
  userProperties: [['id', 'u-1']] as const,
  correlationData: 'AAE=',
};

const levels = fc.array(
  fc.oneof(
    fc.constantFrom('billing', 'billing', 'charges', 'charges', 'dev-1', 'dev-1', '', '+', '#'),
    fc.constantFrom('$aws', 'rules', 'x', 'dev-1\0', 'd'.repeat(128), 'd'.repeat(129)),
    rawText,
  ),
  { maxLength: 9 },
);
const topic = fc.oneof(
  fc.constantFrom(TOPIC, TOPIC, `$aws/rules/r/${TOPIC}`, 'billing//charges', '$aws/rules/r', ''),
  fc
    .constantFrom('dev-1', 'dev-2', 'd'.repeat(128), 'd'.repeat(129), 'a b', '\ud800', 'n/a')
    .map((device) => `billing/${device}/charges`),
  levels.map((all) => all.join('/')),
  mutatedText(fc.constantFrom(TOPIC, `$aws/rules/r/${TOPIC}`)),
);
const clientId = fc.oneof(
  fc.constantFrom<unknown>('dev-1', 'dev-1', 'dev-2', 'n/a', '', undefined, null, 7, 'a/b', '+'),
  fc.constantFrom('d'.repeat(128), 'd'.repeat(129), 'a b', '\ud800', '#', '\0'),
  rawText,
);

/** Who may say what where: topics and client ids of any kind, on routes of every guarantee. */
export const topics: Target = targetOf({
  name: 'topics',
  share: 10_000,
  reaches: [
    ...['accepted', 'duplicate', 'rejected', 'rejected: wrong-topic', 'rejected: missing-device'],
    ...['rejected: wrong-device', 'rejected: too-long', 'rejected: unforwardable'],
  ],
  inputs: fc.record({
    guarantee: fc.constantFrom('exactly-once', 'deduplicated', 'latest'),
    trust: fc.constantFrom(null, null, null, 'a gateway speaks'),
    forward: fc.constantFrom(null, 'out/{device}', '{topic}/{topic}/{topic}'),
    topic,
    clientId,
  }),
  open: () => ({
    async check({ guarantee, trust, forward, topic: said, clientId: client }) {
      const route = byGuarantee(guarantee, { trustTopicLevel: trust, forward });
      const bench = new Bench(route);
      const changes = { topic: said, clientId: client };
      await bench.settled([envelopeOf('d-1', BODY, 'dev-1', changes)]);
      await bench.settled([envelopeOf('d-2', BODY, 'dev-1', changes)]);
      bench.assertKept(said, Buffer.from(BODY));
      // What a device says reaches its own receipts topic and the one of nobody else (I6).
      for (const { topic: told } of bench.ingest.published) {
        if (!told.startsWith('tollbridge/') || trust !== null) continue;
        if (told !== `tollbridge/${String(client)}/receipts`) fail('told to another', told, client);
      }
      return bench.ends();
    },
  }),
});

function byGuarantee(
  guarantee: string,
  changes: { readonly trustTopicLevel: string | null; readonly forward: string | null },
): Route {
  if (guarantee === 'exactly-once') return routeOf(changes);
  return guarantee === 'latest' ? stateRouteOf(changes) : windowRouteOf(changes);
}

const oddValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e300, '', '\0', [], {}, 'n/a', '====', 'AA=A'),
  rawText,
  fc.jsonValue({ maxDepth: 2 }),
);
/** A field in its place, an odd one in its place, or none. */
const field = (good: unknown) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: oddValue });
const ruleEnvelope = fc.record(
  {
    body: fc.oneof(
      { weight: 6, arbitrary: bodyText.map((text) => Buffer.from(text).toString('base64')) },
      { weight: 2, arbitrary: mutatedText(fc.constant(Buffer.from(BODY).toString('base64'))) },
      { weight: 1, arbitrary: oddValue },
    ),
    topic: field(TOPIC),
    clientId: field('dev-1'),
    principal: field('principal-1'),
    receivedAt: fc.oneof(
      field(NOW),
      fc.constantFrom(NOW - 1, NOW + 0.5, 0, -1, 253_402_300_799_999, 253_402_300_800_000, -0),
    ),
    deliveryId: fc.oneof(fc.constantFrom('d-1', 'd-2'), field('d-3')),
    userProperties: fc.oneof(
      field([{ id: 'u-1' }]),
      fc.constantFrom<unknown>([{ id: 'a' }, { id: 'b' }], [{ id: '\ud800' }], [null, 7, 'x']),
    ),
    correlationData: field('AAE='),
  },
  { requiredKeys: ['body', 'topic', 'clientId', 'receivedAt', 'deliveryId'] },
);
const errorEnvelope = fc.record(
  {
    ruleName: field('tollbridge_charges'),
    topic: fc.oneof(field(TOPIC), fc.constant(`$aws/rules/tollbridge_charges/${TOPIC}`)),
    cloudwatchTraceId: field('trace-1'),
    clientId: field('dev-1'),
    base64OriginalPayload: fc.oneof(
      bodyText.map((text) => Buffer.from(text).toString('base64')),
      oddValue,
    ),
    failures: fc.oneof(field([{ failedAction: 'SqsAction' }]), oddValue),
  },
  { requiredKeys: ['base64OriginalPayload', 'topic', 'clientId', 'cloudwatchTraceId'] },
);
/** As text, for a queue carries text; keys that JSON allows and objects do not are put in there. */
const envelopeText = fc.oneof(
  { weight: 6, arbitrary: ruleEnvelope.map((envelope) => JSON.stringify(envelope)) },
  { weight: 3, arbitrary: errorEnvelope.map((envelope) => JSON.stringify(envelope)) },
  {
    weight: 3,
    arbitrary: mutatedText(fc.constant(JSON.stringify(envelopeOf('d-1')))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'null', '[]', '7', '{"__proto__":{"base64OriginalPayload":1}}'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('d-1', 'd-2').map((id) => JSON.stringify(envelopeOf(id))),
  },
  { weight: 1, arbitrary: rawText },
  { weight: 1, arbitrary: fc.constantFrom('['.repeat(100_000), '{"a":'.repeat(30_000)) },
);

/** What a rule or its error action hands over, and what neither would. */
export const envelopes: Target = targetOf({
  name: 'envelopes',
  share: 8_000,
  reaches: [...BOOKED, ...['unverified', 'failed, a port did'], ...rejections('missing-device')],
  inputs: fc.record({
    route: anyRoute,
    texts: fc.array(envelopeText, { minLength: 1, maxLength: 4 }),
    fault: portFault,
  }),
  open: () => ({
    async check({ route, texts, fault }) {
      const bench = new Bench(route);
      await bench.failing(texts, fault);
      await bench.settled(texts);
      await bench.settled(texts);
      return bench.ends();
    },
  }),
});

const record = fc.record(
  {
    messageId: field('m-1'),
    eventSource: field('aws:sqs'),
    body: fc.oneof({ weight: 6, arbitrary: envelopeText }, { weight: 1, arbitrary: oddValue }),
    attributes: fc.oneof(
      field({ SentTimestamp: String(NOW) }),
      oddValue.map((value) => ({ SentTimestamp: value })),
    ),
    messageAttributes: fc.oneof(
      field({}),
      oddValue.map((value) => ({ 'tollbridge-received-at': { stringValue: value } })),
      oddValue.map((value) => ({ 'tollbridge-received-at': value })),
    ),
  },
  { requiredKeys: [] },
);
/** A deep one is drawn as its depth alone: what prints an input may recurse. */
type Event = { readonly value: unknown } | { readonly depth: number };
const event: fc.Arbitrary<Event> = fc
  .oneof(
    { weight: 5, arbitrary: fc.array(record, { maxLength: 4 }).map((Records) => ({ Records })) },
    { weight: 1, arbitrary: fc.record({ Records: oddValue }) },
    { weight: 2, arbitrary: ruleEnvelope },
    { weight: 2, arbitrary: errorEnvelope },
    { weight: 1, arbitrary: oddValue },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>(
        ...[undefined, null, {}, { Records: [] }, queueEvent(envelopeOf('d-1'))],
        envelopeOf('d-1', '{"v":1,"route":"charges","ids":["c-1"]}', 'dev-1', {
          topic: 'tollbridge/dev-1/release',
        }),
      ),
    },
  )
  .map((value) => ({ value }));
const anyEvent = fc.oneof(
  { weight: 60, arbitrary: event },
  { weight: 1, arbitrary: fc.record({ depth: fc.constantFrom(20, 60, 2_000) }) },
);

/** An object inside of an object, so many times. */
function nested(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
}

/** Events that Lambda never makes: the functions answer them, and nothing else ends there. */
export const events: Target = targetOf({
  name: 'events',
  share: 6_000,
  reaches: [
    ...['batch answered', 'direct event answered', 'kept as unreadable', 'booked'],
    ...['request answered', 'request refused'],
  ],
  inputs: fc.record({
    event: anyEvent,
    route: fc.constantFrom(routeOf(), windowRouteOf(), stateRouteOf()),
    now: fc.constantFrom(NOW, 0, 253_402_300_799_999),
  }),
  open: () => ({
    async check({ event: drawn, route, now }) {
      const given = 'depth' in drawn ? nested(drawn.depth) : drawn.value;
      const bench = new Bench(route);
      bench.ingest.now = epochMillis(now);
      const answer = await bench.ingest.handle(given);
      if (answer !== undefined && answer.batchItemFailures.length > 0) {
        fail('records failed though no port did', bench.ingest.notes);
      }
      const rows = [...bench.ingest.quarantine.rows.values()];
      const isKept = rows.some(({ reason }) => reason === 'unreadable-envelope');
      const handshake = new HandshakeHarness(route);
      await handshake.handle(given);
      return [
        answer === undefined ? 'direct event answered' : 'batch answered',
        ...(isKept ? ['kept as unreadable'] : []),
        ...(bench.rows().length > 0 ? ['booked'] : []),
        handshake.notes.length > 0 ? 'request refused' : 'request answered',
      ];
    },
  }),
});
