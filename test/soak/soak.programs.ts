/**
 * Goal: with everything breaking at once, every message ends where it was meant to, once. Method:
 * half a minute of `npm run soak`; from five minutes on it judges memory as well.
 */
import { expect, it } from 'vitest';
import { countOf } from './books.ts';
import { runSoak } from './run.ts';

it('what devices mean is booked, forwarded, refused or kept, once, whatever breaks', {
  timeout: 280_000,
}, async () => {
  const { differences, figures, failed, unexplainedForwards, isClean } = await runSoak({
    minutes: 0.5,
    devices: 12,
    perSecond: 15,
    seed: 7,
    tell: () => {},
    signal: new AbortController().signal,
  });
  expect({ differences, failed, unexplainedForwards }).toMatchObject({
    failed: [],
    unexplainedForwards: [],
  });
  expect(countOf(differences)).toBe(0);
  expect(isClean).toBe(true);
  expect(figures.meant).toBeGreaterThan(100);
  for (const name of ['charges', 'events', 'values', 'quarantined', 'forwards', 'completed']) {
    expect(figures[name], name).toBeGreaterThan(0);
  }
  for (const name of ['outages', 'restarts', 'deviceKills', 'receiverKills', 'cuts']) {
    expect(figures[name], name).toBeGreaterThan(0);
  }
  expect(figures.deliveriesOfThem ?? 0).toBeGreaterThan(
    (figures.charges ?? 0) + (figures.events ?? 0),
  );
});
