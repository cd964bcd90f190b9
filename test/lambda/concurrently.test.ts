import { expect, it } from 'vitest';
import { concurrently } from '../../lambda/runtime/concurrently.ts';

/** Tasks that end when they are told to. */
function heldTasks() {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const task = (item: number) =>
    new Promise<void>((resolve) => {
      begun.push(item);
      ends.set(item, resolve);
    });
  const end = async (item: number) => {
    ends.get(item)?.();
    await new Promise(setImmediate);
  };
  return { begun, task, end };
}

it('begins so many tasks and no more, and the next in order as one of them ends', async () => {
  const { begun, task, end } = heldTasks();
  const all = concurrently([1, 2, 3, 4], 2, task);
  expect(begun).toEqual([1, 2]);
  await end(2);
  expect(begun).toEqual([1, 2, 3]);
  await end(3);
  expect(begun).toEqual([1, 2, 3, 4]);
  await end(1);
  await end(4);
  await all;
  expect(begun).toEqual([1, 2, 3, 4]);
});

it('is not done before the last of them is', async () => {
  const { task, end } = heldTasks();
  let isDone = false;
  const all = concurrently([1, 2], 5, task).then(() => {
    isDone = true;
  });
  await end(1);
  expect(isDone).toBe(false);
  await end(2);
  await all;
});

it('has nothing to do for nothing', async () => {
  const { begun, task } = heldTasks();
  await concurrently([], 5, task);
  expect(begun).toEqual([]);
});
