/** The document `bench/results.md`. Pure. */
import { goalsText, markdownText } from './print.ts';
import type { Table } from './table.ts';

export interface RunFacts {
  /** Of the run, ISO 8601. */
  readonly date: string;
  readonly machine: string;
  /** Average load of the minute before the run; near 0 on a quiet machine. */
  readonly load: string;
  readonly minutes: number;
  readonly runs: number;
  readonly isQuick: boolean;
  /** The tables that were asked for. */
  readonly names: readonly string[];
}

export function reportText(tables: readonly Table[], facts: RunFacts): string {
  const byName = facts.names.map((name) => {
    const made = tables.filter((table) => table.name === name);
    const text = made.length === 0 ? 'It could not be measured in this run.' : '';
    return [`## ${name}`, text, ...made.map(markdownText)]
      .filter((part) => part !== '')
      .join('\n\n');
  });
  return `${[...headOf(facts), '## Goals', goalsText(tables), ...byName].join('\n\n')}\n`;
}

function headOf({ date, machine, load, minutes, runs, isQuick, names }: RunFacts): string[] {
  const size = isQuick ? 'a quick run, with small amounts of work' : 'a whole run';
  return [
    '# Results',
    'Written by `npm run bench`; [README.md](README.md) says how it is measured, and what is not. Ratios are the result: absolute figures belong to the machine. A cell is the median of the runs, with the least and the most in brackets.',
    [
      `- date: ${date}`,
      `- machine: ${machine}`,
      `- load before the run: ${load}`,
      `- this was ${size}: ${runs} runs of each, interleaved, in ${minutes.toFixed(1)} minutes`,
      `- tables: ${names.join(', ')}`,
    ].join('\n'),
  ];
}
