import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { placesOf } from '../../tools/problems.ts';

describe('a route that gathers', () => {
  it.each([
    [{}, { messages: 10, waitSeconds: 0 }],
    [{ waitSeconds: 20 }, { messages: 10, waitSeconds: 20 }],
    [{ messages: 1 }, { messages: 1, waitSeconds: 0 }],
    [
      { messages: 1_000, waitSeconds: 1 },
      { messages: 1_000, waitSeconds: 1 },
    ],
  ])('gathers as it says: %j', (batch, checked) => {
    expect(checkConfig({ routes: { charges: { ...charges, batch } } }).routes[0]?.batch).toEqual(
      checked,
    );
  });
});

describe('a configuration is refused', () => {
  it.each([
    [10, 'batch'],
    [null, 'batch'],
    [[], 'batch'],
    [{ messages: 0, waitSeconds: 1 }, 'batch.messages'],
    [{ messages: 1_001, waitSeconds: 1 }, 'batch.messages'],
    [{ messages: 1.5 }, 'batch.messages'],
    [{ messages: '10' }, 'batch.messages'],
    [{ messages: 11 }, 'batch'],
    [{ messages: 11, waitSeconds: 0 }, 'batch'],
    [{ waitSeconds: -1 }, 'batch.waitSeconds'],
    [{ waitSeconds: 0.5 }, 'batch.waitSeconds'],
    [{ waitSeconds: 21 }, 'batch.waitSeconds'],
    [{ waitSeconds: Number.NaN }, 'batch.waitSeconds'],
    [{ size: 10 }, 'batch.size'],
  ])('whose batch is %j', (batch, place) => {
    expect(placesOf({ batch })).toEqual([`routes.charges.${place}`]);
  });

  it('that gathers batches which its feed does not have', () => {
    expect(placesOf({ batch: {}, feed: 'direct' })).toEqual(['routes.charges.batch']);
  });
});
