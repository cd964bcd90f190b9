/** What each guarantee does while its table does not answer, or says no for good. */
import { describe, expect, it } from 'vitest';
import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import { epochMillis } from '../../core/base/time.ts';
import type { DeduplicatedRoute } from '../../core/config/route.ts';
import { payload } from '../../core/config/sources.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import { BODY, bodyWith, NOW, windowRouteOf } from '../../tools/handlers/samples.ts';

const HOUR = 3_600_000;
const newIngest = (changes: Partial<DeduplicatedRoute> = {}) =>
  new Ingest({}, windowRouteOf(changes));
const failOpen = (changes: Partial<DeduplicatedRoute> = {}) =>
  newIngest({ onStoreDown: 'forward', ...changes });
const throttled = async () => {
  throw new RetryableError('ThrottlingException');
};

describe('a store that is down for hours', () => {
  it.each([
    ['exactly-once', new Ingest()],
    ['deduplicated, which holds', newIngest()],
  ])('costs %s nothing: all is held, and booked once when it is back', async (_, ingest) => {
    ingest.beforeBook = throttled;
    for (let hour = 0; hour < 6; hour++) {
      ingest.now = epochMillis(NOW + hour * HOUR);
      expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'))).toEqual(['m-1', 'm-2']);
    }
    expect(ingest.published).toEqual([]);
    expect(ingest.quarantine.rows.size).toBe(0);
    ingest.beforeBook = async () => {};
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1')[0]).toMatchObject({ outcome: 'accepted' });
  });

  it('lets a route that fails open forward, marked unverified, and say nothing (I3)', async () => {
    const ingest = failOpen();
    ingest.beforeBook = throttled;
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'))).toEqual([]);
    expect(ingest.forwards.map(({ userProperties }) => userProperties)).toEqual([
      [
        ['tollbridge-id', 'events#dev-1#c-1#d-1'],
        ['unverified', 'true'],
      ],
      [
        ['tollbridge-id', 'events#dev-1#c-1#d-2'],
        ['unverified', 'true'],
      ],
    ]);
    for (const { payload } of ingest.forwards) {
      expect(JSON.parse(payload)).toMatchObject({ unverified: true, id: 'c-1' });
    }
    expect(ingest.receiptsTo('dev-1')).toEqual([]);
    expect(ingest.counts.get('Unverified')).toBe(2);
    expect(ingest.counts.get('Accepted')).toBeUndefined();
    ingest.beforeBook = async () => {};
    await ingest.failures(envelopeOf('d-3'));
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('never makes a billing route fail open', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = throttled;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.steps).toEqual([]);
  });

  it('holds all the same where a route that fails open has nowhere to forward to (I2)', async () => {
    const ingest = failOpen({ forward: null });
    ingest.beforeBook = throttled;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.counts.get('Unverified')).toBeUndefined();
  });

  it('is asked again when the unverified forward is down as well', async () => {
    const ingest = failOpen();
    ingest.beforeBook = throttled;
    ingest.beforePublish = throttled;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.published).toEqual([]);
  });

  it('keeps what can never be forwarded, before it is called done', async () => {
    const ingest = failOpen();
    ingest.beforeBook = throttled;
    ingest.beforePublish = async () => {
      throw new TerminalError('InvalidRequestException');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'unforwardable', body: BODY }]);
    ingest.beforePut = throttled;
    expect(await ingest.failures(envelopeOf('d-2'))).toEqual(['m-1']);
  });

  it('rejects nothing that can be refused without it, and forwards none of that', async () => {
    const ingest = failOpen();
    ingest.beforeBook = throttled;
    expect(
      await ingest.failures(
        envelopeOf('d-1', 'x'),
        envelopeOf('d-2', BODY, 'victim', { clientId: 'mallory' }),
      ),
    ).toEqual([]);
    expect(ingest.forwards).toEqual([]);
    expect(ingest.quarantine.rows.size).toBe(2);
  });

  it('leaves a message out of time unverified: nobody can say whether it is a copy', async () => {
    const ingest = failOpen({ time: payload('at') });
    ingest.beforeFind = throttled;
    expect(await ingest.failures(envelopeOf('d-1', bodyWith({ at: '0' })))).toEqual([]);
    expect(ingest.counts.get('Unverified')).toBe(1);
    expect(ingest.receiptsTo('dev-1')).toEqual([]);
  });
});

describe('a time-out after the write landed', () => {
  const timesOut = async () => {
    throw new RetryableError('TimeoutError');
  };

  it.each([
    ['exactly-once', new Ingest()],
    ['deduplicated', newIngest()],
  ])('is resumed by the next try of %s: one forward, one booking', async (_, ingest) => {
    ingest.afterBook = timesOut;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.published).toEqual([]);
    ingest.afterBook = async () => {};
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.counts.get('Resumed')).toBe(1);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('forwards once under the very name of the row where a route fails open, and copies are known', async () => {
    const ingest = failOpen();
    ingest.afterBook = timesOut;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    ingest.afterBook = async () => {};
    expect(await ingest.failures(envelopeOf('d-2'))).toEqual([]);
    expect(ingest.forwards.map(({ userProperties }) => userProperties?.[0]?.[1])).toEqual([
      'events#dev-1#c-1#d-1',
    ]);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'duplicate' }]);
  });
});

describe('a store that refuses for good', () => {
  it.each(['hold', 'forward'] as const)(
    'has the delivery quarantined, never retried, never forwarded: %s',
    async (onStoreDown) => {
      const ingest = newIngest({ onStoreDown });
      ingest.beforeBook = async () => {
        throw new TerminalError('ValidationException');
      };
      expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
      expect(ingest.quarantine.list()).toMatchObject([{ reason: 'refused-by-store' }]);
      expect(ingest.forwards).toEqual([]);
      expect(ingest.receiptsTo('dev-1')).toMatchObject([{ reason: 'refused-by-store' }]);
    },
  );

  it('has it forwarded as well in shadow mode, which drops nothing', async () => {
    const ingest = newIngest({ mode: 'shadow' });
    ingest.beforeBook = async () => {
      throw new TerminalError('ValidationException');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.quarantine.rows.size).toBe(1);
  });
});

describe('an error that is neither', () => {
  it('is tried again and never taken for a store that is down', async () => {
    const ingest = failOpen();
    ingest.beforeBook = async () => {
      throw new TypeError('a fault in the code');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.forwards).toEqual([]);
  });
});
