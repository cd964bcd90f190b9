/** Damaged files: found when the store is opened, set aside whole, and read as far as they go. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { beforeAll, describe, expect, it } from 'vitest';
import { StoreFailedError, StoreUnreadableError } from '../../../device/errors.ts';
import { MARK_FILE } from '../../../device/store/files.ts';
import { openStore, readSetAside } from '../../../device/store/store.ts';
import { seededChance } from '../../../local/chance.ts';
import { recordsIn } from './store-process.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 30, 5, 250);
const RECORDS = 600;
const LOG = /^\d+\.log$/;
const TABLE = /^\d+\.ldb$/;
const MANIFEST = /^MANIFEST-/;

let sound = '';
let meant: ReadonlyMap<string, string> = new Map();

/** A store with tables and a log, as a killed process leaves it. */
beforeAll(async () => {
  sound = join(mkdtempSync(join(tmpdir(), 'damage-')), 'store');
  const records = new Map<string, string>();
  for (const part of [0, 1, 2]) {
    const { store } = await openStore(sound);
    for (let n = part * 200; n < (part + 1) * 200; n += 10) {
      const keys = Array.from({ length: 10 }, (_, step) => String(n + step).padStart(6, '0'));
      for (const key of keys) records.set(key, `${key} ${'body '.repeat(40)}`);
      await store.write(
        keys.map((key) => ({
          area: 'outbox',
          key,
          value: Buffer.from(records.get(key) ?? ''),
        })),
      );
    }
    await store.close();
  }
  meant = records;
  expect(records.size).toBe(RECORDS);
});

function damaged(how: (folder: string) => void): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'damage-')), 'store');
  cpSync(sound, folder, { recursive: true });
  how(folder);
  return folder;
}

function fileIn(folder: string, kind: RegExp): string {
  const names = readdirSync(folder).filter((name) => kind.test(name));
  const [largest = ''] = names.sort(
    (a, b) => readFileSync(join(folder, b)).length - readFileSync(join(folder, a)).length,
  );
  return join(folder, largest);
}

function flip(file: string, share: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length * share);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
}

function cut(file: string, share: number): void {
  truncateSync(file, Math.floor(readFileSync(file).length * share));
}

/** What can still be read of what was set aside: never anything that was not written. */
async function readable(folder: string): Promise<number> {
  let whole = 0;
  for await (const { area, key, value } of readSetAside(folder)) {
    expect([area, value.toString()]).toEqual(['outbox', meant.get(key)]);
    whole += 1;
  }
  return whole;
}

const damages: readonly (readonly [string, number, (folder: string) => void])[] = [
  ['CURRENT is gone', RECORDS, (folder) => rmSync(join(folder, 'CURRENT'))],
  ['CURRENT is empty', RECORDS, (folder) => writeFileSync(join(folder, 'CURRENT'), '')],
  ['CURRENT is cut', RECORDS, (folder) => cut(join(folder, 'CURRENT'), 0.5)],
  [
    'CURRENT names a file that is not there',
    RECORDS,
    (folder) => writeFileSync(join(folder, 'CURRENT'), 'MANIFEST-999999\n'),
  ],
  ['the list of files is gone', RECORDS, (folder) => rmSync(fileIn(folder, MANIFEST))],
  ['the list of files is empty', RECORDS, (folder) => truncateSync(fileIn(folder, MANIFEST), 0)],
  ['the list of files is cut', RECORDS, (folder) => cut(fileIn(folder, MANIFEST), 0.6)],
  ['a bit of the list of files is wrong', RECORDS, (folder) => flip(fileIn(folder, MANIFEST), 0.5)],
  ['a table is gone', 200, (folder) => rmSync(fileIn(folder, TABLE))],
  ['a table is cut', 200, (folder) => cut(fileIn(folder, TABLE), 0.5)],
  ['a bit of a table is wrong', 400, (folder) => flip(fileIn(folder, TABLE), 0.3)],
  ['the log is gone', 400, (folder) => rmSync(fileIn(folder, LOG))],
  ['the log is empty', 400, (folder) => truncateSync(fileIn(folder, LOG), 0)],
  ['the log is cut', 400, (folder) => cut(fileIn(folder, LOG), 0.5)],
  ['the log lacks its last byte', 590, (folder) => cut(fileIn(folder, LOG), 0.99999)],
  ['a bit in the middle of the log is wrong', 400, (folder) => flip(fileIn(folder, LOG), 0.3)],
  ['a bit at the end of the log is wrong', 400, (folder) => flip(fileIn(folder, LOG), 0.999)],
  [
    'a folder stands where the log was',
    400,
    (folder) => {
      const log = fileIn(folder, LOG);
      rmSync(log);
      mkdirSync(log);
    },
  ],
  [
    'everything but the mark is gone',
    0,
    (folder) => {
      for (const name of readdirSync(folder)) if (name !== MARK_FILE) rmSync(join(folder, name));
    },
  ],
];

describe('a damaged store', () => {
  it.each(damages)('is set aside, with its records, when %s', async (_, recordsMin, how) => {
    const folder = damaged(how);
    const files = readdirSync(folder);
    const { store, setAside } = await openStore(folder, { now: () => NOW });
    expect(store.count('outbox')).toBe(0);
    await store.write([{ area: 'outbox', key: 'new', value: Buffer.from('x') }]);
    await store.close();
    expect(setAside?.folder).toBe(`${folder}.set-aside-20261121T093005Z`);
    expect(setAside?.error).toBeInstanceOf(StoreUnreadableError);
    expect(setAside?.reason).not.toBe('');
    const aside = setAside?.folder ?? '';
    const kept = readdirSync(aside, { recursive: true, encoding: 'utf8' }).map((name) =>
      basename(name),
    );
    // LevelDB's own diary is no record.
    expect(files.filter((name) => !/^LO/.test(name) && !kept.includes(name))).toEqual([]);
    expect(await readable(aside)).toBeGreaterThanOrEqual(recordsMin);
    // The same again finds the new store sound, and a second setting aside takes another name.
    expect((await reopened(folder)).setAside).toBeUndefined();
    rmSync(join(folder, 'CURRENT'));
    expect((await reopened(folder)).setAside?.folder).toBe(`${aside}-2`);
  });

  async function reopened(folder: string) {
    const result = await openStore(folder, { now: () => NOW });
    await result.store.close();
    return result;
  }

  it('is never opened with a record missing or changed, whatever bytes are wrong', async () => {
    const chance = seededChance(4);
    let found = 0;
    for (let round = 0; round < 60; round += 1) {
      const folder = damaged((copy) => {
        const names = readdirSync(copy).filter((name) => /^(CURRENT|MANI|\d)/.test(name));
        const file = join(copy, names[chance.below(names.length)] ?? '');
        const bytes = readFileSync(file);
        for (let wrong = chance.below(3); wrong >= 0 && bytes.length > 0; wrong -= 1) {
          bytes[chance.below(bytes.length)] = chance.below(256);
        }
        writeFileSync(file, bytes.subarray(0, bytes.length - chance.below(bytes.length + 1) / 4));
      });
      const { store, setAside } = await openStore(folder);
      if (setAside === undefined) {
        expect(await recordsIn(store, 'outbox')).toEqual(meant);
      } else {
        found += 1;
        await readable(setAside.folder);
      }
      await store.close();
      rmSync(dirname(folder), { recursive: true });
    }
    expect(found).toBeGreaterThan(40);
  }, 60_000);

  it('stands as it was when only its mark is damaged', async () => {
    for (const text of ['', 'x', 'tollbridge store, batch 000000000000001 00000000\n']) {
      const folder = damaged((copy) => writeFileSync(join(copy, MARK_FILE), text));
      const { store, setAside } = await openStore(folder);
      expect([setAside, store.count('outbox')]).toEqual([undefined, RECORDS]);
      await store.close();
    }
  });

  it('is refused when it has lost the mark that makes it ours', async () => {
    const folder = damaged((copy) => rmSync(join(copy, MARK_FILE)));
    await expect(openStore(folder)).rejects.toThrow(StoreFailedError);
    await expect(openStore(folder)).rejects.toThrow(/but no tollbridge-store/);
  });

  it('keeps what an opening that was killed had kept, until it is checked', async () => {
    // A killed opening leaves second names of the files, and has rewritten the store already.
    const folder = damaged((copy) => {
      const kept = join(copy, 'before-opening-000000000000001-1');
      cpSync(sound, kept, { recursive: true });
      truncateSync(fileIn(copy, LOG), 0);
    });
    const { store, setAside } = await openStore(folder);
    await store.close();
    expect(await readable(setAside?.folder ?? '')).toBe(RECORDS);
  });

  it('is left in its place, with a typed error, when it cannot be moved', async () => {
    const folder = damaged((copy) => rmSync(join(copy, 'CURRENT')));
    // A name as long as a name may be leaves no room for the time.
    const long = join(dirname(folder), 'x'.repeat(250));
    cpSync(folder, long, { recursive: true });
    const before = readdirSync(long);
    await expect(openStore(long)).rejects.toThrow(StoreUnreadableError);
    await expect(openStore(long)).rejects.toMatchObject({ setAside: undefined });
    expect(readdirSync(long)).toEqual(before);
  });

  it('of a record that was removed and came back, or was replaced and has its old value, too', async () => {
    const { folder, old } = await rolledBack();
    const level = new ClassicLevel<string, Buffer>(folder, { valueEncoding: 'buffer' });
    await level.put('outbox/a', old);
    await level.close();
    const { store, setAside } = await openStore(folder);
    expect(setAside?.reason).toContain('old ones came back');
    await store.close();
  });

  /** A store whose record was removed, and the bytes of that record as LevelDB had them. */
  async function rolledBack() {
    const folder = mkdtempSync(join(tmpdir(), 'damage-'));
    const { store } = await openStore(folder);
    await store.write([{ area: 'outbox', key: 'a', value: Buffer.from('old') }]);
    await store.close();
    const level = new ClassicLevel<string, Buffer>(folder, { valueEncoding: 'buffer' });
    const old = (await level.get('outbox/a')) ?? Buffer.alloc(0);
    await level.close();
    const again = await openStore(folder);
    await again.store.write([{ area: 'outbox', key: 'a', value: undefined }]);
    await again.store.close();
    return { folder, old };
  }
});
