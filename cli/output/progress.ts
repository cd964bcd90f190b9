/** How far a long read has come, on standard error, and only where a person watches. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  add(rows: number): void;
  /** Takes the line away again. Safe to repeat. */
  stop(): void;
}

/** A read that is over by then needs no line. */
const QUIET_MILLIS = 1_000;

/**
 * @param total rows that are to be read, about; undefined where nobody knows
 * @param stream where it is shown; nothing is where it is no terminal
 */
export function createProgress(
  what: string,
  total: number | undefined,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!stream.isTTY) return { add: () => {}, stop: () => {} };
  const format =
    total === undefined
      ? `${what}: {value} rows · {duration_formatted}`
      : `${what} [{bar}] {value}/about {total} rows · {duration_formatted}`;
  const bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true });
  let value = 0;
  let isShown = false;
  const timer = setTimeout(() => {
    isShown = true;
    bar.start(Math.max(total ?? 0, value), value);
  }, QUIET_MILLIS);
  return {
    add(rows) {
      value += rows;
      if (!isShown) return;
      // The total is an estimate: the bar must not stop at it.
      if (value > bar.getTotal()) bar.setTotal(value);
      bar.update(value);
    },
    stop() {
      clearTimeout(timer);
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}
