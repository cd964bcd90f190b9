/** Goal: a soak that hangs says what it waited for, and ends before whoever started it. */
import { expect, it } from 'vitest';
import { Deadline } from './waiting.ts';

const never = new Promise<never>(() => {});

it('a wait for what never comes ends at the deadline, and says what stood there then', async () => {
  const deadline = new Deadline(20);
  deadline.standing = () => '3 of 4 taken';
  const what = /still waiting until all are taken; then: 3 of 4 taken$/;
  await expect(deadline.until('all are taken', () => false)).rejects.toThrow(what);
  await expect(deadline.settled('all are taken', never)).rejects.toThrow(what);
});

it('what has come is returned, also after the deadline', async () => {
  const deadline = new Deadline(0);
  await expect(deadline.until('it is so', () => true)).resolves.toBeUndefined();
  await expect(new Deadline(10_000).settled('it is there', Promise.resolve(7))).resolves.toBe(7);
});

it('a deadline is brought forward and never put off', async () => {
  const deadline = new Deadline(600_000);
  deadline.endWithin(10);
  deadline.endWithin(600_000);
  await expect(deadline.settled('it ends', never)).rejects.toThrow(/still waiting until it ends/);
});
