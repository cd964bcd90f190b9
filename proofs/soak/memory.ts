/**
 * Whether memory grows: a straight line through the second half of the samples, by least squares.
 * The first half is warm-up: caches fill, code is compiled, and processes are started again.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Sample {
  /** Since the run began. */
  readonly seconds: number;
  readonly bytes: number;
}

export interface Growth {
  readonly samples: number;
  /** Mean of the second half. */
  readonly meanBytes: number;
  /** Of the line. */
  readonly bytesPerMinute: number;
}

/** Fewer samples say nothing. */
const SAMPLES_MIN = 10;

/** Undefined where there are too few samples to say. */
export function growthOf(samples: readonly Sample[]): Growth | undefined {
  const last = samples.at(-1)?.seconds ?? 0;
  const late = samples.filter(({ seconds }) => seconds >= last / 2);
  if (late.length < SAMPLES_MIN) return undefined;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanBytes = mean(late.map(({ bytes }) => bytes));
  const meanSeconds = mean(late.map(({ seconds }) => seconds));
  let above = 0;
  let below = 0;
  for (const { seconds, bytes } of late) {
    above += (seconds - meanSeconds) * (bytes - meanBytes);
    below += (seconds - meanSeconds) ** 2;
  }
  const slope = below === 0 ? 0 : above / below;
  return { samples: late.length, meanBytes, bytesPerMinute: slope * 60 };
}

/** What processes of one kind may grow by, in bytes a minute. */
export interface Measured {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly boundBytesPerMinute: number;
}

/** Those that grow faster than their bound. */
export function growing(measured: readonly Measured[]): readonly string[] {
  return measured.flatMap(({ name, samples, boundBytesPerMinute }) => {
    const growth = growthOf(samples);
    return growth !== undefined && growth.bytesPerMinute > boundBytesPerMinute ? [name] : [];
  });
}

const PAGE_BYTES = 4_096;

/** Resident bytes of the processes that this one has started and that live now. */
export function childrenRss(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const ids = tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '),
    );
    return ids.flatMap((id) => (id === '' ? [] : rssOf(id)));
  } catch {
    // It has ended meanwhile, or the system tells nothing of the kind.
    return [];
  }
}

function rssOf(pid: string): readonly number[] {
  try {
    const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
    return [Number(pages) * PAGE_BYTES];
  } catch {
    return [];
  }
}
