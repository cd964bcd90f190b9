/** What becomes of messages that a handler fails on, and of the order of effect and mark. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gate } from './gate.ts';
import { failedOf, START, startBench } from './receiver-fixture.ts';

describe('a handler that fails', () => {
  const failing = (bad: string) => (message: { readonly forward: unknown }) => {
    if (JSON.stringify(message.forward).includes(bad)) throw new Error('bad \u001b[31mdata');
  };

  it('is called again with growing waits, holds up its own topic alone, and then is kept aside', async () => {
    const bench = await startBench({ options: { tries: 4 }, handler: failing('poison') });
    const taken = bench.take('a poison');
    const next = bench.take('b fine');
    await bench.take('c other booked/n/charges');
    const times: number[] = [];
    for (let tries = 1; tries <= 3; tries += 1) {
      await bench.told('handler-failed', tries);
      expect(bench.calls.filter((text) => text === 'poison')).toHaveLength(tries);
      times.push(bench.timers.now());
      await bench.timers.advance(1_000 * 2 ** (tries - 1));
    }
    await Promise.all([taken, next]);
    const own = bench.calls.filter((text) => text !== 'other');
    expect(own).toEqual(['poison', 'poison', 'poison', 'poison', 'fine']);
    const [failed] = await failedOf(bench);
    expect(failed).toMatchObject({ reason: 'handler', tries: 4, failedAt: START });
    expect(failed?.detail).toBe('bad \\u{1b}[31mdata');
    // It is not called again for a copy, also not after a restart.
    const again = await bench.restart();
    await again.take('a poison');
    expect([again.calls, again.receiver.failed.count]).toEqual([[], 1]);
    await again.close();
  });

  it('may succeed at a later try', async () => {
    let calls = 0;
    const bench = await startBench({
      handler: async () => {
        calls += 1;
        if (calls < 3) throw new Error('not yet');
      },
    });
    const taken = bench.take('a');
    await bench.told('handler-failed', 1);
    await bench.timers.advance(1_000);
    await bench.told('handler-failed', 2);
    await bench.timers.advance(2_000);
    await taken;
    expect(bench.events.at(-1)).toMatchObject({ kind: 'handled', tries: 3 });
    expect(bench.receiver.failed.count).toBe(0);
    await bench.close();
  });

  it('is not given up while there is no room to keep the message', async () => {
    let isBroken = true;
    const bench = await startBench({
      options: { tries: 1, failedMax: 1 },
      handler: () => {
        if (isBroken) throw new Error('down');
      },
    });
    await bench.take('a');
    const taken = bench.take('b');
    await bench.told('failed-list-full');
    isBroken = false;
    await bench.timers.advance(1_000);
    await taken;
    expect(bench.receiver.failed.count).toBe(1);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'handled' });
    await bench.close();
  });

  it('leaves its message unacknowledged when the receiver closes meanwhile', async () => {
    const bench = await startBench({ handler: failing('poison') });
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    bench.take('a poison').then(settled, settled);
    bench.take('b fine').then(settled, settled);
    await bench.told('handler-failed');
    const again = await bench.restart(undefined, () => {});
    expect([isSettled, bench.calls]).toEqual([false, ['poison']]);
    await again.take('a poison');
    await again.take('b fine');
    expect(again.calls).toEqual(['poison', 'fine']);
    await again.close();
  });

  it('can be called again for a message kept aside, which is then forgotten', async () => {
    const bench = await startBench({ options: { tries: 1 }, handler: failing('poison') });
    await bench.take('a poison');
    const [failed] = await failedOf(bench);
    const key = failed?.key ?? '';
    await expect(bench.receiver.failed.retry(key)).rejects.toThrow('bad');
    expect(bench.receiver.failed.count).toBe(1);
    const mended = await bench.restart({}, () => {});
    expect(await mended.receiver.failed.retry(key)).toBe(true);
    expect(mended.calls).toEqual(['poison']);
    expect(mended.receiver.failed.count).toBe(0);
    expect(await mended.receiver.failed.retry(key)).toBe(false);
    expect(await mended.receiver.failed.discard(key)).toBe(false);
    await mended.take('a poison');
    expect(mended.kinds()).toEqual(['copy']);
    await mended.close();
  });

  it('is no business of another receiver of the same store', async () => {
    const bench = await startBench({ options: { tries: 1, name: 'one' }, handler: failing('p') });
    await bench.take('a p');
    const other = await bench.restart({ name: 'two' }, () => {});
    expect(await failedOf(other)).toEqual([]);
    await other.take('a p');
    expect(other.calls).toEqual(['p']);
    await other.close();
  });
});

describe('the order of effect and mark', () => {
  it('mark-first: a message whose handler was interrupted is not handled again, but kept', async () => {
    const work = gate();
    const bench = await startBench({
      options: { order: 'mark-first' },
      handler: () => work.opened,
    });
    void bench.take('a');
    await work.reached(bench, 1);
    // The folder as a crash leaves it now: begun, and not done.
    const folder = mkdtempSync(join(tmpdir(), 'receiver-'));
    cpSync(bench.folder, folder, { recursive: true });
    const again = await startBench({ folder, options: { order: 'mark-first' } });
    await again.take('a');
    await again.take('a');
    expect([again.calls, again.kinds()]).toEqual([[], ['failed', 'copy']]);
    expect(await failedOf(again)).toMatchObject([{ reason: 'interrupted' }]);
    await again.close();
    work.open();
    await bench.close();
  });

  it('mark-first: a handler that succeeds is marked as done, and its copies are copies', async () => {
    const bench = await startBench({ options: { order: 'mark-first' } });
    await bench.take('a');
    const again = await bench.restart();
    await again.take('a');
    expect([again.calls, again.kinds()]).toEqual([[], ['copy']]);
    await again.close();
  });

  it('with-effect: the caller alone knows what is there, and nothing is marked here', async () => {
    const effects = new Set<string | undefined>();
    const options = {
      order: 'with-effect',
      seen: { has: async (id: string) => effects.has(id) },
    } as const;
    const bench = await startBench({ options, handler: ({ id }) => void effects.add(id) });
    await Promise.all([bench.take('a'), bench.take('a')]);
    await bench.take('a');
    expect([bench.calls, bench.store.count('seen')]).toEqual([['a'], 0]);
    effects.clear();
    await bench.take('a');
    expect(bench.calls).toEqual(['a', 'a']);
    await bench.close();
  });

  it('with-effect: an effect that another process was quicker with ends the tries', async () => {
    const effects = new Set<string>();
    const bench = await startBench({
      options: { order: 'with-effect', seen: { has: async (id) => effects.has(id) } },
      handler: ({ id = '' }) => {
        effects.add(id);
        throw new Error('unique constraint');
      },
    });
    const taken = bench.take('a');
    await bench.told('handler-failed');
    await bench.timers.advance(1_000);
    await taken;
    expect([bench.calls, bench.kinds()]).toEqual([['a'], ['handler-failed', 'copy']]);
    await bench.close();
  });

  it('with-effect: a message kept among the failed is not handled for its copies', async () => {
    const options = {
      order: 'with-effect',
      tries: 1,
      seen: { has: async () => false },
    } as const;
    const handler = () => {
      throw new Error('no');
    };
    const bench = await startBench({ options, handler });
    await bench.take('a');
    await bench.take('a');
    expect([bench.calls, bench.receiver.failed.count]).toEqual([['a'], 1]);
    await bench.close();
  });
});
