/** The same rates where each request takes its time, as on AWS, and a processor is not the bound. */
import type { BenchOptions, Table } from '../harness/table.ts';
import { bridgesOnCloud, measureAll, rateRows, SINGLE, singleGoals } from './measured.ts';

/** What the calculator of costs assumes for a round trip, too. */
const ROUND_TRIP_MILLIS = 5;
const settings = [0, 0.2].map((copies) => ({ devices: 10, copies }));

export async function roundTripsTable(assembly: string, options: BenchOptions): Promise<Table> {
  const chosen = options.isQuick ? settings.slice(0, 1) : settings;
  const note = (line: string) => options.note(`${line}, answers after ${ROUND_TRIP_MILLIS} ms`);
  const started = await bridgesOnCloud({
    assembly,
    speed: 1,
    answerAfterMillis: ROUND_TRIP_MILLIS,
  });
  try {
    const contenders = started.map(({ contender }) => contender);
    const measured = await measureAll(contenders, chosen, { ...options, note });
    return {
      name: 'end-to-end',
      title: `The same with ${ROUND_TRIP_MILLIS} ms for each request to tables and data plane`,
      columns: [
        'devices',
        'copies',
        'who',
        'messages a second',
        'p50, ms',
        'p99, ms',
        'beside one delivery an invocation',
      ],
      rows: rateRows(measured, SINGLE),
      notes: [
        `The local cloud holds each answer back for ${ROUND_TRIP_MILLIS} ms, which takes nothing of its processor: what bounds a path then is how many requests it has under way. A function has two execution environments at most, here as in the table above; on AWS there may be more, each paid for while it waits.`,
      ],
      goals: singleGoals(measured, `, with ${ROUND_TRIP_MILLIS} ms for each request`),
    };
  } finally {
    for (const one of started) await one.close();
  }
}
