/**
 * Runs a task for each item, the first ones first and so many at a time. The task must not throw:
 * with it the other items of its worker would be given up.
 */
export async function concurrently<Item>(
  items: readonly Item[],
  tasksMax: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  // One iterator for all workers, so that each item is drawn once.
  const left = items.values();
  const work = async () => {
    for (const item of left) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(tasksMax, items.length) }, work));
}
