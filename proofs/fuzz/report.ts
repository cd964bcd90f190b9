/** What a run has found, for a person: a table, and each failure with the way to see it again. */
import Table from 'cli-table3';
import { printable } from '../../core/base/printable.ts';
import type { Report } from './target.ts';

const INPUT_CHARS_MAX = 4_000;

export function tableOf(reports: readonly Report[]): string {
  const table = new Table({
    head: ['target', 'inputs', 'inputs/s', 'ends'],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
    colWidths: [null, null, null, 84],
    wordWrap: true,
  });
  for (const { name, inputs, seconds, ends } of reports) {
    const rate = Math.round(inputs / Math.max(seconds, 0.001));
    table.push([name, inputs, rate, endsText(ends)]);
  }
  return table.toString();
}

/** The most frequent first. */
function endsText(ends: ReadonlyMap<string, number>): string {
  return [...ends]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** What is wrong with a report, in lines; none where nothing is. */
export function faultsOf(report: Report, mustReach: boolean): readonly string[] {
  const { name, failure, unreached, unknown } = report;
  const lines: string[] = [];
  if (failure !== undefined) {
    lines.push(
      `${name}: ${printable(failure.error, INPUT_CHARS_MAX)}`,
      `  input, made smaller ${failure.shrunk} times: ${printable(failure.input, INPUT_CHARS_MAX)}`,
      `  again: npm run fuzz -- --target ${name} --seed ${failure.seed} --path ${failure.path}`,
    );
  }
  if (failure === undefined && mustReach && unreached.length > 0) {
    lines.push(`${name}: no input has ended in: ${unreached.join(', ')}`);
  }
  if (unknown.length > 0) lines.push(`${name}: ends that there are not: ${unknown.join(', ')}`);
  return lines;
}
