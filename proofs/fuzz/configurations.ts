/** Configurations: as values, as the text of the lock file, and as source files that are loaded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { checkConfig } from '../../core/config/check.ts';
import { lockOf } from '../../core/config/lock.ts';
import { formatLock, LockFileError, parseLock } from '../../core/config/lock-text.ts';
import { ConfigError, type Problem } from '../../core/config/problem.ts';
import type { Bridge } from '../../core/config/route.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { startProgram } from '../../tools/programs.ts';
import { idSources } from './bodies.ts';
import { mutatedText, rawText } from './bytes.ts';
import { fail } from './fail.ts';
import { type Target, targetOf } from './target.ts';

const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 0, -1, 1.5, Number.NaN, 1e300, '', [], {}, true, 7n),
  fc.constantFrom<unknown>(Symbol('s'), () => 1, new Date(0), /x/, Object.create(null), new Map()),
  rawText,
  fc.jsonValue({ maxDepth: 2 }),
);
const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 24, arbitrary: good }, { weight: 1, arbitrary: odd });
const either = (...values: readonly unknown[]) => mostly(fc.constantFrom(...values));
const source = (from: string) =>
  mostly(
    fc.oneof(
      fc.constantFrom({ from, path: 'at' }, { from, path: 'a.b' }, { from, path: 'a..b' }),
      mostly(rawText).map((path) => ({ from, path })),
    ),
  );
const span = mostly(
  fc.oneof(
    fc.constantFrom<unknown>(
      { days: 7 },
      { hours: 1, minutes: 30 },
      { seconds: 300 },
      { days: 999 },
    ),
    fc.record({ days: odd, years: odd }, { requiredKeys: [] }),
  ),
);
const common = {
  topic: either(
    'billing/+/charges',
    'events/+/#',
    'status/+',
    '#',
    'a/b',
    'tollbridge/+/x',
    '+/$x',
  ),
  device: either({ from: 'topic-level', level: 2 }, { from: 'topic-level', level: 1 }),
  forward: either(
    'booked/{device}/charges',
    'out/{topic}',
    '{device}',
    'a/{b}',
    '#',
    'billing/x/charges',
  ),
  feed: either('queue', 'direct'),
  receipts: either('none', 0, 1),
  trustTopicLevel: either(undefined, undefined, 'gateway gw-1 publishes', 'yes'),
  sameBody: either(undefined, { ignoring: ['sentAt'] }, { ignoring: [] }),
};
const id = mostly(
  fc.oneof(
    fc.constantFrom<unknown>(...idSources),
    source('payload'),
    fc.record({ from: fc.constant('all'), parts: fc.array(source('payload'), { maxLength: 7 }) }),
  ),
);
const entry = mostly(
  fc.record({
    account: source('payload'),
    amount: source('payload'),
    unit: either('kWh', 'x'.repeat(33)),
    occurredAt: source('payload'),
  }),
);
const anyRoute = fc.oneof(
  fc.constant<unknown>(charges),
  fc.constant<unknown>({ ...charges, topic: 'events/+/#' }),
  fc.record(
    {
      ...common,
      guarantee: either('exactly-once'),
      id,
      entry,
      maxAge: either({ days: 90 }, {}),
      indexShards: either(1, 100, 101),
    },
    { requiredKeys: ['guarantee', 'topic', 'device', 'id', 'entry'] },
  ),
  fc.record(
    {
      ...common,
      guarantee: either('deduplicated'),
      id,
      window: span,
      time: source('payload'),
      mode: either('enforce', 'mark', 'shadow'),
      onStoreDown: either('hold', 'forward'),
    },
    { requiredKeys: ['guarantee', 'topic', 'device', 'id', 'window'] },
  ),
  fc.record(
    { ...common, guarantee: either('latest'), version: source('timestamp') },
    { requiredKeys: ['guarantee', 'topic', 'device', 'version'] },
  ),
);
const name = fc.constantFrom('charges', 'events', 'status', '__proto__', 'Bad', 'a'.repeat(41), '');
const config = mostly(
  fc.record(
    {
      routes: mostly(
        fc
          .array(fc.tuple(fc.oneof(fc.constant('charges'), name), anyRoute), {
            minLength: 1,
            maxLength: 3,
          })
          .map((pairs) => Object.fromEntries(pairs)),
      ),
      name: either(undefined, 'acme', 'Acme', 'x'.repeat(21)),
      alarms: mostly(
        fc.record(
          {
            email: either('ops@example.com', 'ops'),
            runbook: either('https://wiki.example.com/runbook', 'http://x'),
            silence: either({ charges: { hours: 6 } }, { other: { hours: 1 } }, { charges: {} }),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['routes'] },
  ),
);

/** A configuration as a value: a bridge that is its own configuration, or all problems at once. */
export const configs: Target = targetOf({
  name: 'configurations',
  share: 6_000,
  reaches: ['a bridge', 'one problem', 'several problems'],
  inputs: config,
  open: () => ({
    check(drawn) {
      try {
        assertWhole(checkConfig(drawn));
        return ['a bridge'];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        error.problems.forEach(assertSaid);
        return [error.problems.length === 1 ? 'one problem' : 'several problems'];
      }
    },
  }),
});

/** A bridge survives the way into a function's environment, and its lock reads back as written. */
function assertWhole(bridge: Bridge): void {
  const routes = JSON.stringify(bridge.routes);
  if (JSON.stringify(JSON.parse(routes)) !== routes) fail('a route changes as JSON', routes);
  const text = formatLock(lockOf(bridge));
  if (formatLock(parseLock(text)) !== text) fail('a lock is read as another', text);
}

function assertSaid({ at, got, allowed, fix }: Problem): void {
  const parts = [at, got, allowed, fix];
  if (parts.some((part) => part === '' || !part.isWellFormed()))
    fail('a problem says nothing', parts);
}

const LOCK = formatLock(lockOf(checkConfig({ routes: { charges } })));

/** The lock file's text: read, or refused in words, and what was read is written the same again. */
export const locks: Target = targetOf({
  name: 'lock-files',
  share: 8_000,
  reaches: ['read', 'refused'],
  inputs: fc.oneof(
    { weight: 1, arbitrary: fc.constant(LOCK) },
    { weight: 8, arbitrary: mutatedText(fc.constantFrom(LOCK, LOCK.replaceAll(/\s+/g, ' '))) },
    { weight: 1, arbitrary: rawText },
  ),
  open: () => ({
    check(text) {
      try {
        const written = formatLock(parseLock(text));
        if (formatLock(parseLock(written)) !== written) fail('read as another', written);
        return ['read'];
      } catch (error) {
        if (!(error instanceof LockFileError)) throw error;
        return ['refused'];
      }
    },
  }),
});

const ROOT = pathToFileURL(fileURLToPath(new URL('../../', import.meta.url))).href;
const SOURCE = `import { defineConfig } from '${ROOT}core/config/route.ts';
import { payload, topicLevel } from '${ROOT}core/config/sources.ts';

export default defineConfig({
  routes: {
    charges: {
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      device: topicLevel(2),
      id: payload('id'),
      entry: { account: payload('account'), amount: payload('kWh'), unit: 'kWh', occurredAt: payload('at') },
    },
  },
});
`;
/** The imports stay whole: what is damaged is what a person edits. */
const EDITED = SOURCE.slice(SOURCE.indexOf('export default'));
const edits = fc.oneof(
  fc.constant(EDITED),
  mutatedText(fc.constant(EDITED)),
  fc.constantFrom(
    ...['', 'export default 7;', 'export default {};', 'export const x = 1;', 'throw 1;', '\0'],
    ...[EDITED.replace('payload', 'undefined'), EDITED.replace("'billing/+/charges'", 'null')],
  ),
);

/**
 * Source files, loaded as the app loads them: all of one input in one process, which tells of each
 * whether it is a bridge, has problems, or is no module at all.
 */
export const sources: Target = targetOf({
  name: 'configuration-files',
  share: 12,
  reaches: ['a bridge', 'problems', 'no module'],
  inputs: fc.array(edits, { minLength: 12, maxLength: 12 }),
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollbridge-fuzz-'));
    const imports = SOURCE.slice(0, SOURCE.indexOf('export default'));
    let files = 0;
    return {
      async check(texts) {
        const paths = texts.map((text) => {
          const path = join(folder, `${files++}.ts`);
          writeFileSync(path, imports + text);
          return path;
        });
        const loader = fileURLToPath(new URL('load-configurations.ts', import.meta.url));
        const program = startProgram(process.execPath, ['--import', 'tsx', loader, ...paths]);
        const status = await program.ended;
        const ends = program.printed().trim().split('\n');
        if (status !== 0 || ends.length !== texts.length) {
          fail('the loader did not end well', status, program.printed());
        }
        return [...new Set(ends)];
      },
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});
