/** The sweep of old ids beside marks that are being set: what is in use is not forgotten. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EpochMillis, epochMillis } from '../../../core/base/time.ts';
import { ProcessedIds } from '../../../device/receiver/processed-ids.ts';
import { openStore, type Store } from '../../../device/store/store.ts';

const DAY = 86_400_000;
const idle = () => false;

describe('a sweep', () => {
  let store: Store;
  let time: EpochMillis;
  /** Called when a sweep has read what is due, before it decides. */
  let whenRead = async () => {};

  beforeEach(async () => {
    ({ store } = await openStore(mkdtempSync(join(tmpdir(), 'marks-'))));
    time = epochMillis(1_000 * DAY);
    whenRead = async () => {};
  });
  afterEach(() => store.close());

  function marks(): ProcessedIds {
    const slow: Pick<Store, 'entries'> = {
      entries: async function* (area, range) {
        yield* store.entries(area, range);
        await whenRead();
      },
    };
    const watched: Store = {
      folder: store.folder,
      write: (changes) => store.write(changes),
      read: (area, key) => store.read(area, key),
      entries: slow.entries,
      count: (area) => store.count(area),
      bytes: (area) => store.bytes(area),
      close: () => store.close(),
    };
    const clock = () => time;
    return new ProcessedIds({ store: watched, clock }, { scope: 's', rememberMillis: DAY });
  }

  const held = () => [store.count('seen'), store.count('seen-time')];

  it('removes an id whose time is over, from both areas, and no other', async () => {
    const own = marks();
    await own.set('old', 'done', undefined);
    time = epochMillis(time + DAY);
    await own.set('new', 'done', undefined);
    await own.sweep(idle);
    expect(held()).toEqual([1, 1]);
    expect(await own.find('new')).toMatchObject({ state: 'done', isOver: false });
    expect(await own.find('old')).toBeUndefined();
  });

  it('leaves a message that is being handled alone', async () => {
    const own = marks();
    await own.set('old', 'begun', undefined);
    time = epochMillis(time + DAY);
    await own.sweep((key) => key === 'old');
    expect(held()).toEqual([1, 1]);
  });

  it('leaves an id alone that is marked anew between its look and its write', async () => {
    const own = marks();
    const old = await own.set('old', 'done', undefined);
    time = epochMillis(time + DAY);
    whenRead = async () => {
      await own.set('old', 'done', old);
    };
    await own.sweep(idle);
    expect(held()).toEqual([1, 1]);
    expect(await own.find('old')).toMatchObject({ at: time, isOver: false });
  });

  it('finds one entry by time for an id, however often it was delivered', async () => {
    const own = marks();
    for (let day = 0; day < 5; day += 1) {
      time = epochMillis(time + DAY / 2);
      await own.set('a', 'done', await own.find('a'));
    }
    expect(held()).toEqual([1, 1]);
    await own.sweep(idle);
    expect(held()).toEqual([1, 1]);
  });

  it('removes no more than a few hundred at a time, oldest first', async () => {
    const own = marks();
    await Promise.all(Array.from({ length: 300 }, (_, n) => own.set(`k${n}`, 'done', undefined)));
    time = epochMillis(time + 2 * DAY);
    await own.sweep(idle);
    expect(held()).toEqual([44, 44]);
  });
});
