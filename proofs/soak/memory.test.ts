/** Goal: the soak tells memory that grows from memory that wavers. */
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../core/base/time.ts';
import { seededChance } from '../../local/chance.ts';
import { createJournal } from '../../local/lambda/journal.ts';
import { JournalSize } from './journal-size.ts';
import { growing, growthOf, type Sample } from './memory.ts';
import { scheduleOf } from './schedule.ts';

const MB = 1_048_576;

/** Ten minutes, a sample every five seconds: a warm-up, noise, and so much a minute. */
function samples(perMinute: number, seed = 1): readonly Sample[] {
  const chance = seededChance(seed);
  return Array.from({ length: 120 }, (_, n) => {
    const seconds = n * 5;
    const warmUp = Math.min(seconds, 200) * 0.2 * MB;
    const noise = (chance.below(1_000) / 1_000) * 4 * MB;
    return { seconds, bytes: 50 * MB + warmUp + noise + (perMinute * seconds) / 60 };
  });
}

describe('the line through the second half', () => {
  it.each([0, 0.5, 2, 10])(
    'finds %d MB a minute beneath noise of 4 MB, whatever came before',
    (n) => {
      for (const seed of [1, 2, 3]) {
        const growth = growthOf(samples(n * MB, seed));
        expect(Math.abs((growth?.bytesPerMinute ?? 0) / MB - n)).toBeLessThan(0.5);
      }
    },
  );

  it('names what grows faster than it may, and nothing else', () => {
    const measured = [
      { name: 'leaks', samples: samples(2 * MB), boundBytesPerMinute: MB },
      { name: 'wavers', samples: samples(0), boundBytesPerMinute: MB },
    ];
    expect(growing(measured)).toEqual(['leaks']);
  });

  it('says nothing of a few samples', () => {
    expect(growthOf(samples(MB).slice(0, 12))).toBeUndefined();
    expect(growthOf([])).toBeUndefined();
  });
});

it('the journal of the local cloud holds as many lines as is counted here, also when it forgets', () => {
  const journal = createJournal(
    () => epochMillis(0),
    () => {},
  );
  const size = new JournalSize();
  for (let n = 0; n < 120_000; n++) {
    const line = 'x'.repeat(n % 50);
    journal.observe({ kind: 'log', functionName: 'f', line });
    size.add(line.length);
  }
  const kept = journal.read('f');
  const chars = kept.reduce((sum, { message }) => sum + message.length, 0);
  expect(size.bytes()).toBe(chars + kept.length * 160);
});

it('a short run has something of everything, and the second half starts no measured process anew', () => {
  for (const seconds of [30, 600]) {
    const schedule = scheduleOf(seconds);
    const kinds = new Set(schedule.map(({ what }) => what));
    expect(kinds.size).toBe(4);
    const late = schedule.filter(({ atSeconds }) => atSeconds >= seconds / 2);
    const started = late.filter(({ what }) => /receiver|cloud/.test(what));
    expect(started).toEqual([]);
  }
});
