/** Routes, and bodies for them: by a grammar, with damage, and raw. */
import fc from 'fast-check';
import { BODY_BYTES_MAX } from '../../core/base/limits.ts';
import type { Route } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  correlationData,
  type IdSource,
  payload,
  sequence,
  timestamp,
  topicLevel,
  userProperty,
} from '../../core/config/sources.ts';
import { routeOf, stateRouteOf, windowRouteOf } from '../../tools/handlers/samples.ts';
import { mutated, rawBytes, rawText } from './bytes.ts';
import { numberText, oddNumberText, timeJson } from './numbers.ts';

export const idSources: readonly IdSource[] = [
  payload('id'),
  payload('order.id'),
  sequence('seq', { epoch: 'boot' }),
  timestamp('at'),
  contentHash(),
  contentHash('id', 'kWh'),
  userProperty('id'),
  correlationData(),
  topicLevel(3),
  all(timestamp('at'), payload('id')),
  all(payload('id'), userProperty('id'), sequence('seq', { epoch: 'boot' })),
];
const flags = fc.record({
  id: fc.oneof(fc.constant(payload('id')), fc.constantFrom(...idSources)),
  ignoring: fc.constantFrom(null, null, ['sentAt'], ['at', 'x.y'], ['__proto__']),
  forward: fc.constantFrom(null, 'out/{device}', 'out/{device}', '{topic}/{topic}/{topic}/{topic}'),
  trustTopicLevel: fc.constantFrom(null, null, 'a gateway speaks'),
});

/** Routes of every guarantee on one topic filter, so that the same deliveries serve. */
export const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  { weight: 3, arbitrary: flags.map((changes) => routeOf(changes)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        flags,
        fc.record({
          mode: fc.constantFrom('enforce' as const, 'mark' as const, 'shadow' as const),
          onStoreDown: fc.constantFrom('hold' as const, 'forward' as const),
          time: fc.constantFrom(null, payload('at')),
          windowSeconds: fc.constantFrom(1, 600, 366 * 86_400),
        }),
      )
      .map(([common, changes]) => windowRouteOf({ ...common, ...changes })),
  },
  { weight: 1, arbitrary: flags.map(({ id: _, ...changes }) => stateRouteOf(changes)) },
);

const stringJson = rawText.map((text) => JSON.stringify(text));
const oddJson = fc.oneof(
  stringJson,
  numberText,
  fc.constantFrom('null', 'true', '{}', '[]', '""', '"\\ud800"', '"\\u0000"', '[[[[]]]]'),
  oddNumberText,
);
const longJson = fc
  .constantFrom(127, 128, 255, 256, 257, 2_036, 2_037, 2_048, 5_000)
  .map((length) => JSON.stringify('x'.repeat(length)));

/** Mostly what the field should hold, so that more than its refusal is tried. */
function mostly(good: fc.Arbitrary<string>, ...odd: readonly fc.Arbitrary<string>[]) {
  return fc.oneof(
    { weight: 8, arbitrary: good },
    { weight: 2, arbitrary: fc.oneof(oddJson, ...odd) },
  );
}

const amountJson = fc.oneof(
  numberText,
  numberText.map((text) => JSON.stringify(text)),
  fc.constantFrom('12.50', '"0.1"', '1e2', '-3', '0'),
  oddNumberText.map((text) => JSON.stringify(text)),
);
const fields: Readonly<Record<string, fc.Arbitrary<string>>> = {
  id: mostly(fc.constantFrom('"c-1"', '1', '"1"', '"int:1"', '-7', '"a:b"'), longJson),
  account: mostly(fc.constantFrom('"acme"', '42', '"ä"'), longJson),
  kWh: mostly(amountJson),
  at: mostly(timeJson),
  seq: mostly(fc.constantFrom('7', '"7"', '0', '18446744073709551616')),
  boot: mostly(fc.constantFrom('"b-1"', '3')),
  order: mostly(fc.constantFrom('{"id":"o-1"}', '{"id":9}')),
  sentAt: mostly(fc.constantFrom('1', '2')),
};
const extra = fc.tuple(
  fc.constantFrom('__proto__', 'constructor', 'x', 'id', 'at', '', 'a.b', '\ufeff', 'toString'),
  fc.oneof(oddJson, fc.constant('{"y":{"__proto__":{"polluted":true}}}')),
);
const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r\n');

/** JSON by the grammar: the fields of the routes in any order, some missing, some twice. */
export const bodyText: fc.Arbitrary<string> = fc
  .record({
    members: fc.tuple(
      ...Object.entries(fields).map(([name, value]) =>
        fc.option(
          value.map((text) => `${JSON.stringify(name)}:${text}`),
          { freq: 14 },
        ),
      ),
    ),
    extra: fc
      .array(extra, { maxLength: 2 })
      .map((pairs) => pairs.map(([name, text]) => `${JSON.stringify(name)}:${text}`)),
    hasExtra: fc.nat(5),
    turn: fc.nat(8),
    space,
  })
  .map(({ members, extra: more, hasExtra, turn, space: gap }) => {
    const there = members.filter((member) => member !== null);
    const turned = [...there.slice(turn), ...there.slice(0, turn)];
    const list = hasExtra === 0 ? [...turned, ...more] : turned;
    return `{${gap}${list.join(`,${gap}`)}${gap}}`;
  });

/** As large as is allowed, one byte more, and as deep as no parser should follow. */
const extremes = fc
  .constantFrom<() => string>(
    () => padded(BODY_BYTES_MAX),
    () => padded(BODY_BYTES_MAX + 1),
    () => '['.repeat(100_000),
    () => `{"id":${'['.repeat(40_000)}${']'.repeat(40_000)}}`,
    () => `{"id":"c-1","x":${'{"a":'.repeat(64)}1${'}'.repeat(65)}`,
    () => `{"kWh":${'9'.repeat(90_000)}}`,
    () => `{"kWh":1${'0'.repeat(80_000)}e-80000,"id":"c-1"}`,
    () => `{"id":"${'\\u0000'.repeat(10_000)}"}`,
    () => `{"id":"${'\\'.repeat(90_000)}"}`,
    () => `{${Array.from({ length: 6_000 }, (_, n) => `"k${n}":${n}`).join(',')}}`,
    () => `{${'"a":1,'.repeat(10_000)}"a":1}`,
    () => `{"id":"${'😀'.repeat(20_000)}"}`,
  )
  .map((make) => make());

function padded(bytes: number): string {
  const head = '{"id":"c-1","account":"acme","kWh":1,"at":"2026-11-20T08:59:00Z","x":"';
  return `${head}${'x'.repeat(bytes - head.length - 2)}"}`;
}

/** Bodies of all kinds. */
export const anyBody: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 60, arbitrary: bodyText.map((text) => Buffer.from(text)) },
  { weight: 28, arbitrary: mutated(bodyText) },
  { weight: 11, arbitrary: rawBytes },
  { weight: 1, arbitrary: extremes.map((text) => Buffer.from(text)) },
);
