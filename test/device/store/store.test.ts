/** The store: whole writes, on the disk when acknowledged, and no loss that nobody is told of. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { describe, expect, it, vi } from 'vitest';
import {
  ClosedError,
  DiskFullError,
  StoreFailedError,
  StoreLockedError,
} from '../../../device/errors.ts';
import { MARK_FILE, storeFault } from '../../../device/store/files.ts';
import { openStore, type StoreChange } from '../../../device/store/store.ts';
import { seededChance } from '../../../local/chance.ts';
import { recordsIn, runStoreChild } from './store-process.ts';

const temporary = () => mkdtempSync(join(tmpdir(), 'store-'));

function put(key: string, text: string, area = 'outbox'): StoreChange {
  return { area, key, value: Buffer.from(text) };
}

function gone(key: string, area = 'outbox'): StoreChange {
  return { area, key, value: undefined };
}

async function opened(folder: string) {
  const { store, setAside } = await openStore(folder);
  expect(setAside).toBeUndefined();
  return store;
}

describe('a store', () => {
  it('gives back after a restart what was written, by area, in the order of the keys', async () => {
    const folder = join(temporary(), 'not', 'there', 'yet');
    const first = await opened(folder);
    await first.write([put('b', 'two'), put('a', 'one'), put('a', 'other', 'seen')]);
    await first.write([put('c', 'three'), put('ä/ü', ''), put('b', 'TWO')]);
    await first.write([gone('a'), gone('never there')]);
    await first.close();
    const store = await opened(folder);
    expect([...(await recordsIn(store, 'outbox'))]).toEqual([
      ['b', 'TWO'],
      ['c', 'three'],
      ['ä/ü', ''],
    ]);
    expect([...(await recordsIn(store, 'seen'))]).toEqual([['a', 'other']]);
    expect(await store.read('outbox', 'a')).toBeUndefined();
    expect((await store.read('outbox', 'c'))?.toString()).toBe('three');
    expect([store.count('outbox'), store.bytes('outbox')]).toEqual([3, 8]);
    expect([store.count('nothing'), store.bytes('nothing')]).toEqual([0, 0]);
    await store.close();
  });

  it('lists a range: after, before, and up to a limit', async () => {
    const store = await opened(temporary());
    await store.write(['a', 'b', 'c', 'd', 'e'].map((key) => put(key, key)));
    const keys = async (range: Parameters<typeof store.entries>[1]) => {
      const found: string[] = [];
      for await (const { key } of store.entries('outbox', range)) found.push(key);
      return found.join('');
    };
    expect(await keys({ after: 'b' })).toBe('cde');
    expect(await keys({ before: 'c' })).toBe('ab');
    expect(await keys({ after: 'a', before: 'e', limit: 2 })).toBe('bc');
    await store.close();
  });

  it('counts records and bytes as they are put, replaced and removed, in one write and in many', async () => {
    const store = await opened(temporary());
    await Promise.all([
      store.write([put('a', '1234'), put('a', '12')]),
      store.write([put('b', '123456'), gone('a')]),
      store.write([put('a', '1')]),
    ]);
    expect([store.count('outbox'), store.bytes('outbox')]).toEqual([2, 7]);
    await store.write([gone('a'), gone('b'), gone('c')]);
    expect([store.count('outbox'), store.bytes('outbox')]).toEqual([0, 0]);
    await store.close();
  });

  it('flushes writes that wait together once, and keeps their order', async () => {
    const folder = temporary();
    const store = await opened(folder);
    const done: number[] = [];
    await Promise.all(
      Array.from({ length: 500 }, async (_, n) => {
        await store.write([put('last', String(n)), put(String(n), 'x')]);
        done.push(n);
      }),
    );
    expect(done).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect((await store.read('outbox', 'last'))?.toString()).toBe('499');
    // The mark holds the number of flushes.
    expect(Number(readFileSync(join(folder, MARK_FILE), 'utf8').split(' ')[3])).toBe(1);
    await store.close();
  });

  it('asks for every write to be flushed to the disk', async () => {
    const store = await opened(temporary());
    const batch = vi.spyOn(ClassicLevel.prototype, 'batch');
    await store.write([put('a', 'one')]);
    expect(batch.mock.calls).toMatchObject([[expect.anything(), { sync: true }]]);
    batch.mockRestore();
    await store.close();
  });

  it('keeps what it was given, whatever becomes of the bytes afterwards', async () => {
    const store = await opened(temporary());
    const value = Buffer.from('as given');
    const written = store.write([{ area: 'outbox', key: 'a', value }]);
    value.fill('x');
    await written;
    expect((await store.read('outbox', 'a'))?.toString()).toBe('as given');
    await store.close();
  });

  it('ends the writes under way before it closes, and refuses those after', async () => {
    const folder = temporary();
    const store = await opened(folder);
    const written = store.write([put('a', 'one')]);
    await Promise.all([store.close(), store.close()]);
    await written;
    await expect(store.write([put('b', 'two')])).rejects.toThrow(ClosedError);
    await expect(store.read('outbox', 'a')).rejects.toThrow(ClosedError);
    await expect(recordsIn(store, 'outbox')).rejects.toThrow(ClosedError);
    const again = await opened(folder);
    expect([...(await recordsIn(again, 'outbox')).keys()]).toEqual(['a']);
    await again.close();
  });

  it('leaves no copy of its files behind once it is open', async () => {
    const folder = temporary();
    for (let n = 0; n < 3; n += 1) {
      const store = await opened(folder);
      await store.write([put(String(n), 'x')]);
      await store.close();
    }
    expect(readdirSync(folder).filter((name) => /opening|opened/.test(name))).toEqual([]);
  });

  it('is told as open elsewhere, in this process and in another', async () => {
    const folder = temporary();
    const store = await opened(folder);
    await store.write([put('a', 'one')]);
    await expect(openStore(folder)).rejects.toThrow(StoreLockedError);
    // Under another name it is the same folder.
    const alias = join(temporary(), 'alias');
    symlinkSync(folder, alias);
    await expect(openStore(alias)).rejects.toThrow(StoreLockedError);
    // A refused opening must not end the lock that keeps other processes away.
    expect((await runStoreChild({ folder })).words).toEqual(['store-locked']);
    // Neither try touched it.
    await store.write([put('b', 'two')]);
    await store.close();
    const again = await opened(folder);
    expect(again.count('outbox')).toBe(2);
    await again.close();
  });
});

describe('a place that is no store', () => {
  it('is left alone when it is a file', async () => {
    const place = join(temporary(), 'file');
    writeFileSync(place, 'mine');
    await expect(openStore(place)).rejects.toThrow(/it is a file; a store needs a folder/);
    expect(readFileSync(place, 'utf8')).toBe('mine');
  });

  it('is left alone when it is the database of another program', async () => {
    const place = temporary();
    const other = new ClassicLevel(place);
    await other.put('theirs', 'x');
    await other.close();
    const before = readdirSync(place);
    await expect(openStore(place)).rejects.toThrow(StoreFailedError);
    expect(readdirSync(place)).toEqual(before);
  });

  it('becomes one when it is an empty folder, or holds files that nobody takes for records', async () => {
    const place = temporary();
    writeFileSync(join(place, 'notes.txt'), 'mine');
    mkdirSync(join(place, 'lost+found'));
    const store = await opened(place);
    await store.write([put('a', 'one')]);
    await store.close();
    await (await opened(place)).close();
    expect(readFileSync(join(place, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('is told as such when the process has no rights there', async () => {
    const place = temporary();
    chmodSync(place, 0o555);
    // The superuser has every right, so the child is somebody else then.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    const run = await runStoreChild({
      folder: join(place, 'store'),
      ...(uid === undefined ? {} : { uid }),
    });
    expect(run.words).toEqual(['store-failed']);
    expect(existsSync(join(place, 'store'))).toBe(false);
    expect(storeFault(place, new Error('IO error: x/LOCK: Permission denied'))).toMatchObject({
      kind: 'error',
      error: { code: 'store-failed' },
    });
  });
});

describe('a store whose disk is full', () => {
  it('says so, takes nothing more, and still has all it acknowledged', async () => {
    const folder = join(temporary(), 'store');
    const full = await runStoreChild({ folder, valueBytes: 3_000, fileKibMax: 300 });
    expect(full.words).toEqual(['disk-full']);
    expect(full.acknowledged.length).toBeGreaterThan(20);
    // Opening needs room as well; it says so, and changes nothing.
    const stillFull = await runStoreChild({ folder, first: 5_000, valueBytes: 10, fileKibMax: 20 });
    expect(stillFull).toMatchObject({ words: ['disk-full'], acknowledged: [] });
    const store = await opened(folder);
    const records = await recordsIn(store, 'outbox');
    expect(full.acknowledged.filter((key) => !records.has(key))).toEqual([]);
    await store.close();
  });

  it('refuses every later write with the same error, and reads on', async () => {
    const folder = temporary();
    const store = await opened(folder);
    await store.write([put('a', 'one')]);
    const full = new Error('IO error: 000003.log: No space left on device');
    vi.spyOn(ClassicLevel.prototype, 'batch').mockRejectedValueOnce(full);
    const refused = [store.write([put('b', 'two')]), store.write([put('c', 'three')])];
    for (const write of refused) await expect(write).rejects.toThrow(DiskFullError);
    await expect(store.write([put('d', 'four')])).rejects.toThrow(DiskFullError);
    expect((await store.read('outbox', 'a'))?.toString()).toBe('one');
    expect(store.count('outbox')).toBe(1);
    await store.close();
    const again = await opened(folder);
    expect([...(await recordsIn(again, 'outbox')).keys()]).toEqual(['a']);
    await again.close();
  });
});

describe('a process killed while it writes', () => {
  it('loses nothing that was acknowledged, and no half of a write stays', async () => {
    const folder = join(temporary(), 'store');
    const chance = seededChance(17);
    const acknowledged: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const killAfter = 1 + chance.below(300);
      const run = await runStoreChild({ folder, first: round * 20_000, killAfter });
      expect(run).toMatchObject({ words: [], signal: 'SIGKILL' });
      acknowledged.push(...run.acknowledged);
    }
    expect(acknowledged.length).toBeGreaterThan(300);
    const store = await opened(folder);
    const outbox = await recordsIn(store, 'outbox');
    const seen = await recordsIn(store, 'seen');
    expect(acknowledged.filter((key) => !outbox.has(key))).toEqual([]);
    expect([...outbox.keys()]).toEqual([...seen.keys()]);
    await store.close();
  }, 60_000);
});
