/**
 * What the functions logged, for operators who ask.
 *
 * Owns the lines, in memory. Keeps these invariants: the oldest are forgotten first, and all of
 * them together stay within two bounds, whatever the functions print.
 */
import type { Clock } from '../../core/base/time.ts';
import type { CloudEvent, Observer } from '../contracts.ts';

export interface LogLine {
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

export interface Journal {
  /** Keeps what functions log, and passes every event on. */
  readonly observe: Observer;
  /** What is known of a function, oldest first. */
  read(functionName: string): readonly LogLine[];
}

const LINES_MAX = 50_000;
const CHARS_MAX = 32 * 1024 * 1024;

export function createJournal(clock: Clock, next: Observer): Journal {
  let kept: { readonly functionName: string; readonly line: LogLine }[] = [];
  let chars = 0;
  let count = 0;
  const keep = ({ functionName, line }: Extract<CloudEvent, { kind: 'log' }>) => {
    count++;
    chars += line.length;
    kept.push({
      functionName,
      line: { eventId: String(count), timestamp: clock(), message: line },
    });
    if (kept.length <= LINES_MAX && chars <= CHARS_MAX) return;
    // A half at a time, so that keeping costs the same however long it runs.
    kept = kept.slice(Math.ceil(kept.length / 2));
    chars = kept.reduce((sum, { line: { message } }) => sum + message.length, 0);
  };
  return {
    observe: (event) => {
      if (event.kind === 'log') keep(event);
      next(event);
    },
    read: (name) => kept.flatMap(({ functionName, line }) => (functionName === name ? [line] : [])),
  };
}
