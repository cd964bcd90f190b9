/** What every process of the soak does: it tells its parent, and its memory when it is asked. */
import type { Memory } from '../words.ts';

/** Ends the process when its parent has gone: nothing may be left running. */
export function tellParent(message: object): void {
  process.send?.(message, (error: Error | null) => {
    if (error !== null) process.exit(1);
  });
}

export function onParent<Message>(listener: (message: Message) => void): void {
  process.on('message', (message) => listener(message as Message));
  process.once('disconnect', orphaned);
}

function orphaned(): void {
  process.exit(1);
}

/** Lets the process end by itself, once nothing is left to do. */
export function farewell(): void {
  process.off('disconnect', orphaned);
  process.disconnect();
}

/** What is reachable after a collection; needs `--expose-gc`. */
export function memory(): Memory {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { usedBytes: heapUsed + external, rssBytes: rss };
}
