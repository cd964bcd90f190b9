/** What docs/engines.md says, as far as it can be held to it without DynamoDB Local. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentHash } from '../../../core/config/sources.ts';
import { releaseOf } from '../../../core/tables/release.ts';
import {
  deduplicatedPush,
  deduplicatedRenewal,
  deduplicatedUpdate,
} from '../../../lambda/adapters/deduplicated.ts';
import { exactlyOnceUpdate } from '../../../lambda/adapters/exactly-once.ts';
import { latestUpdate } from '../../../lambda/adapters/latest.ts';
import { shorteningRelease } from '../../../lambda/adapters/releases.ts';
import { copyCount, firstWriteWins } from '../../../lambda/adapters/writes.ts';
import {
  NOW,
  stateWrite,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../../tools/handlers/samples.ts';
import { makeDynaliteStore } from '../../../tools/stores/dynalite-store.ts';
import {
  checkPacked,
  fetchPackage,
  IntegrityError,
  integrityOf,
  MissingError,
  SIMULATOR,
} from '../../../tools/stores/dynamodb-local.ts';
import type { Store } from '../../../tools/stores/engines.ts';
import { deployedTables } from '../../../tools/stores/tables.ts';
import { behaviours, observe } from '../behaviours/all.ts';
import { columnOf, differing, engineDocument } from './document.ts';

describe('docs/engines.md', () => {
  let store: Store;
  let document: string;
  beforeAll(async () => {
    store = await makeDynaliteStore();
    document = await readFile(new URL('../../../docs/engines.md', import.meta.url), 'utf8');
  });
  afterAll(() => store.close());

  it.each(behaviours.filter(({ isLong }) => isLong !== true))(
    'is right about dynalite: $title',
    async (behaviour) => {
      const seen = await observe(store, [behaviour]);
      expect(seen.get(behaviour.title)).toBe(columnOf(document, 'dynalite')(behaviour));
    },
  );

  it('names every behaviour once, and no other', () => {
    const titles = [...document.matchAll(/^\| (.+?) \|/gm)].map(([, title]) => title);
    const [first, last] = [titles.indexOf('---'), titles.lastIndexOf('charges meant')];
    expect(titles.slice(first + 1, last)).toEqual(behaviours.map(({ title }) => title));
    expect(new Set(behaviours.map(({ title }) => title)).size).toBe(behaviours.length);
  });

  it('is read back as it was written, differences and agreements alike', () => {
    const [same, other] = [behaviours[0], behaviours[3]];
    if (same === undefined || other === undefined) throw new Error('there is nothing to look at');
    const told = new Map(behaviours.map(({ title, documented }) => [title, documented]));
    const dynalite = { version: '1', observations: told };
    const local = { version: '2', observations: new Map(told).set(other.title, 'otherwise') };
    const demo = {
      meant: 1,
      booked: 1,
      lost: 0,
      doubleBooked: 0,
      trueTotal: '1',
      bookedTotal: '1',
    };
    const text = engineDocument({ dynalite, local, demo });
    expect(columnOf(text, 'DynamoDB Local')(other)).toBe('otherwise');
    expect(columnOf(text, 'dynalite')(other)).toBe(other.documented);
    expect(columnOf(text, 'DynamoDB Local')(same)).toBe(same.documented);
    expect(differing(dynalite, local)).toEqual([other]);
  });
});

it('no expression of the adapters comes near the 4,096 bytes that AWS allows', () => {
  const window = windowWrite();
  const standing = { ...window.first, tries: 1, windowEndsAtMillis: window.windowEndsAtMillis };
  const hashed = windowWrite('{}', {}, windowRouteOf({ id: contentHash() }));
  const requests = [
    exactlyOnceUpdate(writeOf()),
    deduplicatedUpdate(window),
    deduplicatedUpdate(hashed),
    deduplicatedPush(window, 'a'),
    deduplicatedRenewal(window, standing),
    latestUpdate(stateWrite()),
    copyCount(writeOf(), 'a'),
    shorteningRelease(releaseOf(window.key, NOW)),
    // More attributes than a row of the quarantine has.
    firstWriteWins({ ...writeOf().first, bookedBody: '', fields: [], reason: '' }, 1, 'now'),
  ];
  const lengths = requests.flatMap((request) =>
    Object.entries(request).flatMap(([name, text]) =>
      name.endsWith('Expression') ? [Buffer.byteLength(String(text))] : [],
    ),
  );
  expect(lengths.length).toBeGreaterThan(requests.length);
  expect(Math.max(...lengths)).toBeLessThan(2_048);
});

describe('the tables that the suites are run on', () => {
  it('are those of the template: keys, indexes, projections and what TTL goes by', async () => {
    const { ledger, dedupRecords, state, quarantine } = await deployedTables();
    const keys = (one: typeof ledger) => one.KeySchema.map(({ AttributeName }) => AttributeName);
    expect([ledger, dedupRecords, state].map(keys)).toEqual(Array(3).fill(['pk', 'id']));
    expect(keys(quarantine)).toEqual(['pk', 'sk']);
    const projections = [ledger, quarantine].map(({ GlobalSecondaryIndexes }) =>
      GlobalSecondaryIndexes?.map(({ IndexName, Projection }) => [
        IndexName,
        Projection.ProjectionType,
      ]),
    );
    expect(projections).toEqual([[['by-account', 'INCLUDE']], [['by-day', 'INCLUDE']]]);
    expect(dedupRecords.TimeToLiveSpecification?.AttributeName).toBe('expiresAt');
    expect(ledger.TimeToLiveSpecification).toBeUndefined();
  });
});

describe('the package of DynamoDB Local', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-packages-'));
  const source = join(folder, 'source.tgz');
  writeFileSync(source, 'the package');
  const wanted = async () => ({
    name: 'a-package',
    version: '1.0.0',
    integrity: await integrityOf(source),
  });
  const place = (name: string) => join(folder, name);
  const packing = (bytes: string) => async (_: string, to: string) =>
    writeFileSync(join(to, 'a-package-1.0.0.tgz'), bytes);

  it('is pinned to an exact version and a SHA-512', () => {
    expect(SIMULATOR.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(SIMULATOR.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
  });

  it('is known by the hash that package-lock.json would have', async () => {
    writeFileSync(place('abc'), 'abc');
    // FIPS 180-4: SHA-512 of "abc" begins with ddaf35a193617aba.
    expect(await integrityOf(place('abc'))).toMatch(
      /^sha512-3a81oZNherrMQXNJriBBMRLm\+k6JqX6iCp7u5ktV05ohkpkqJ0\/BqDa6PCOj\/uu9RU1EI2Q86A4qmslPpUyknw==$/,
    );
  });

  it('is fetched once, and its bytes are checked again when it is kept', async () => {
    let fetched = 0;
    const pack = async (spec: string, to: string) => {
      fetched += 1;
      expect(spec).toBe('a-package@1.0.0');
      await copyFile(source, join(to, 'a-package-1.0.0.tgz'));
    };
    const kept = await fetchPackage(place('good'), await wanted(), pack);
    expect(await fetchPackage(place('good'), await wanted(), pack)).toBe(kept);
    expect(fetched).toBe(1);
    writeFileSync(kept, 'the package?');
    await expect(fetchPackage(place('good'), await wanted(), pack)).rejects.toThrow(IntegrityError);
    expect(fetched).toBe(1);
  });

  it('is not kept when it has other bytes, so that a later run does not take it for checked', async () => {
    const asked = fetchPackage(place('bad'), await wanted(), packing('another'));
    await expect(asked).rejects.toThrow(IntegrityError);
    expect(readdirSync(place('bad'))).toEqual([]);
  });

  it('is missing, in words, when the registry gives nothing, and leaves no half behind', async () => {
    const nothing = fetchPackage(place('none'), await wanted(), async () => {});
    await expect(nothing).rejects.toThrow(MissingError);
    expect(readdirSync(place('none'))).toEqual([]);
  });

  it('is named with what was got and what is allowed when it is refused', async () => {
    const { integrity } = await wanted();
    const other = { name: 'a-package', version: '1.0.0', integrity: 'sha512-other' };
    await expect(checkPacked(source, other)).rejects.toThrow(integrity);
    await expect(checkPacked(source, other)).rejects.toThrow('allowed is sha512-other');
  });
});
