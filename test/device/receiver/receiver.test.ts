/** The receiver: a handler is called once for an id, and nothing unhandled goes without a word. */
import { describe, expect, it } from 'vitest';
import { BODY_DEPTH_MAX } from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import { InvalidFilterError, InvalidOptionsError } from '../../../device/errors.ts';
import { checkReceiveOptions } from '../../../device/receiver/options.ts';
import { settle } from '../fake-world.ts';
import { gate } from './gate.ts';
import { DAY, inbound, START, startBench } from './receiver-fixture.ts';

describe('a handler', () => {
  it('is called once for an id, over copies at once, later, and after a restart', async () => {
    const bench = await startBench();
    await Promise.all([bench.take('a'), bench.take('a'), bench.take('b'), bench.take('a')]);
    await bench.take('b');
    expect(bench.calls).toEqual(['a', 'b']);
    const again = await bench.restart();
    await Promise.all([again.take('b'), again.take('a'), again.take('c')]);
    expect(again.calls).toEqual(['c']);
    expect([...again.kinds()].sort()).toEqual(['copy', 'copy', 'handled']);
    await again.close();
  });

  it('is acknowledged only once it has ended and its mark is on disk', async () => {
    const work = gate();
    const bench = await startBench({ handler: () => work.opened });
    let acknowledged = 0;
    const taken = [bench.take('a'), bench.take('a')].map((take) => take.then(() => acknowledged++));
    await work.reached(bench, 1);
    expect([acknowledged, bench.store.count('seen')]).toEqual([0, 0]);
    work.open();
    await Promise.all(taken);
    expect([acknowledged, bench.store.count('seen')]).toEqual([2, 1]);
    await bench.close();
  });

  it('is `ready` when its filter is granted, and not for ever about to be', async () => {
    const benches = [await startBench(), await startBench(), await startBench()];
    const [granted, refused, closed] = benches.map(({ receiver }) => receiver.ready);
    // As the session calls it.
    benches[0]?.subscription.answered?.('granted');
    benches[1]?.subscription.answered?.('refused');
    for (const bench of benches) await bench.close();
    await expect(granted).resolves.toBeUndefined();
    await expect(refused).rejects.toMatchObject({ code: 'subscription-refused' });
    await expect(closed).rejects.toMatchObject({ code: 'closed' });
  });

  it('is waited for when the receiver closes', async () => {
    const work = gate();
    const bench = await startBench({ handler: () => work.opened });
    const taken = bench.take('a');
    await work.reached(bench, 1);
    let isClosed = false;
    const closing = bench.receiver.close().then(() => {
      isClosed = true;
    });
    await settle();
    expect(isClosed).toBe(false);
    work.open();
    await Promise.all([taken, closing]);
    expect(bench.store.count('seen')).toBe(1);
    await bench.close();
  });

  it('has the messages of one topic one after the other, and those of others meanwhile', async () => {
    const work = gate();
    const bench = await startBench({
      handler: ({ topic }) => (topic === 'booked/m/charges' ? work.opened : undefined),
    });
    const slow = [bench.take('a one'), bench.take('b two')];
    await bench.take('c three booked/n/charges');
    expect(bench.calls).toEqual(['one', 'three']);
    work.open();
    await Promise.all(slow);
    expect(bench.calls).toEqual(['one', 'three', 'two']);
    await bench.close();
  });

  it('is called for as many topics at once as the options say', async () => {
    let running = 0;
    let most = 0;
    const bench = await startBench({
      options: { concurrency: 3 },
      handler: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
    });
    const topics = Array.from({ length: 12 }, (_, n) => bench.take(`${n} x booked/${n}/charges`));
    await Promise.all(topics);
    expect(most).toBe(3);
    await bench.close();
  });

  it('is given the envelope, with the digits that were sent', async () => {
    const bench = await startBench({
      handler: ({ id, forward }) => {
        expect(id).toBe('charges#m#7');
        expect(forward).toMatchObject({ route: 'charges', device: 'm', id: '7', unverified: true });
        expect(String(forward?.body?.amount)).toBe('0.10000000000000000001');
      },
    });
    const payload = Buffer.from(
      '{"v":1,"tollbridge-id":"charges#m#7","unverified":true,"route":"charges","device":"m",' +
        '"id":7,"body":{"amount":0.10000000000000000001}}',
    );
    await bench.take({ payload });
    expect(bench.kinds()).toEqual(['handled']);
    await bench.close();
  });
});

describe('the id', () => {
  const property = (id: string) => ({ userProperties: [['tollbridge-id', id]] as const });

  it('is the user property or the one in the envelope, and both are one', async () => {
    const bench = await startBench();
    await bench.take('a');
    await bench.take({ ...inbound('a'), ...property('charges#m#a') });
    await bench.take({ payload: Buffer.from('no JSON'), ...property('charges#m#a') });
    expect(bench.calls).toEqual(['a']);
    await bench.close();
  });

  it('is found in an envelope whose body nests as deep as a body may', async () => {
    const deep = `${'{"a":'.repeat(BODY_DEPTH_MAX)}1${'}'.repeat(BODY_DEPTH_MAX)}`;
    const bench = await startBench();
    const payload = Buffer.from(`{"v":1,"tollbridge-id":"charges#m#a","body":${deep}}`);
    await bench.take({ payload });
    await bench.take('a');
    expect(bench.kinds()).toEqual(['handled', 'copy']);
    await bench.close();
  });

  it.each([
    ['is missing', { payload: Buffer.from('{"v":1}') }, /neither a user property nor/],
    ['is empty', property(''), /is empty/],
    ['is a number', { payload: Buffer.from('{"tollbridge-id":7}') }, /not a string/],
    ['is too long', property('x'.repeat(2_049)), /2049 bytes/],
    ['is not the same twice', { ...inbound('a'), ...property('b') }, /2 different values/],
  ])(
    'that %s: the message is kept for a person, and the handler not called',
    async (_, message, why) => {
      const bench = await startBench();
      await bench.take(message);
      await bench.take(message);
      expect(bench.calls).toEqual([]);
      expect(bench.receiver.failed.count).toBe(1);
      for await (const failed of bench.receiver.failed.list()) {
        expect(failed).toMatchObject({ reason: 'no-id', message: { topic: 'booked/m/charges' } });
        expect(failed.detail).toMatch(why);
      }
      await bench.close();
    },
  );

  it('may be missing where the options let such messages pass, each as a message of its own', async () => {
    const bench = await startBench({ options: { withoutId: 'pass' } });
    const message = { payload: Buffer.from('plain') };
    await Promise.all([bench.take(message), bench.take(message)]);
    await bench.take(message);
    expect(bench.calls).toEqual(['plain', 'plain', 'plain']);
    expect(bench.store.count('seen')).toBe(0);
    await bench.close();
  });

  it.each(['__proto__', 'constructor', '../../x', '\u0000', '💥'.repeat(400), '\ud800'])(
    'may hold anything: %j',
    async (id) => {
      const bench = await startBench();
      const payload = Buffer.from(JSON.stringify({ 'tollbridge-id': id }));
      await bench.take({ payload });
      await bench.take({ payload });
      expect(bench.kinds()).toEqual(['handled', 'copy']);
      await bench.close();
    },
  );
});

describe('the memory for ids', () => {
  it('lasts for so many days after the last delivery; a copy after that is new', async () => {
    const bench = await startBench({ options: { rememberDays: 2 } });
    await bench.take('a');
    bench.time = epochMillis(START + 1.5 * DAY);
    await bench.take('a');
    bench.time = epochMillis(START + 3.5 * DAY - 1);
    await bench.take('a');
    expect(bench.calls).toEqual(['a']);
    bench.time = epochMillis(START + 5.5 * DAY - 1);
    await bench.take('a');
    expect(bench.calls).toEqual(['a', 'a']);
    await bench.close();
  });

  it('holds no more on disk than the ids of that time and a few that are due', async () => {
    const bench = await startBench({ options: { rememberDays: 1 } });
    let most = 0;
    for (let hour = 0; hour < 96; hour += 1) {
      bench.time = epochMillis(START + (hour * DAY) / 24);
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => bench.take(`${hour}-${n} x booked/${n}/charges`)),
      );
      most = Math.max(most, bench.store.count('seen'));
      expect(bench.store.count('seen-time')).toBe(bench.store.count('seen'));
    }
    // 24 hours of 20 ids, and what comes between two sweeps.
    expect(most).toBeLessThan(24 * 20 + 3 * 64);
    await bench.close();
  });

  it('forgets nothing that is delivered again while old ids are swept', async () => {
    const bench = await startBench({ options: { rememberDays: 1 } });
    const all = (names: readonly string[]) =>
      Promise.all(names.map((name) => bench.take(`${name} x booked/${name}/charges`)));
    const names = Array.from({ length: 100 }, (_, n) => `id${n}`);
    await all(names);
    for (let day = 2; day < 12; day += 2) {
      bench.time = epochMillis(START + day * DAY);
      // The time of all is over: each is new now, and a sweep runs while they come.
      await all(names);
      const before = bench.calls.length;
      await all(names);
      expect(bench.calls).toHaveLength(before);
    }
    await bench.close();
  });

  it('takes up to so many messages at a time, and leaves others to the broker', async () => {
    const work = gate();
    const bench = await startBench({ options: { waitingMax: 2 }, handler: () => work.opened });
    const taken = [bench.take('a'), bench.take('b')];
    await expect(bench.take('c')).rejects.toThrow('2 messages wait');
    // At QoS 0 nothing comes again, so nothing is asked for again either.
    await bench.take({ ...inbound('d'), qos: 0 });
    expect(bench.kinds()).toEqual(['not-taken', 'not-taken']);
    work.open();
    await Promise.all(taken);
    await bench.take('c');
    expect(bench.calls).toEqual(['a', 'b', 'c']);
    await bench.close();
  });

  it('fails closed: with a store that does not write, nothing is acknowledged', async () => {
    const bench = await startBench();
    await bench.store.close();
    await expect(bench.take('a')).rejects.toThrow('closed');
    expect(bench.calls).toEqual([]);
  });
});

describe('options', () => {
  it('that cannot work are refused together', () => {
    const wrong = { tries: 0, rememberDays: -1, concurrency: 1.5, order: 'with-effect' } as never;
    expect(() => checkReceiveOptions('a/b', wrong)).toThrow(InvalidOptionsError);
    expect(() => checkReceiveOptions('a/b', wrong)).toThrow(
      /needs seen.*tries is 0.*rememberDays is -1.*concurrency is 1.5/,
    );
    expect(checkReceiveOptions('a/b', { tries: Number.POSITIVE_INFINITY }).tries).toBe(Infinity);
  });

  it.each(['', 'a/#/b', 'a b', '$share/group/a'])('refuse the filter %j', (filter) => {
    expect(() => checkReceiveOptions(filter, {})).toThrow(InvalidFilterError);
  });
});
