/** Table "writes": the calculator of units, beside what engines themselves report. Pure. */
import type { OnLocal } from '../dynamodb-local/index.ts';
import type { Goal, Table } from '../harness/table.ts';
import type { Charged } from './charge.ts';
import type { Measured } from './measure.ts';

const LOCAL = 'DynamoDB Local';

interface OnEngine {
  readonly engine: string;
  readonly measured: readonly Measured[];
}

/** @param local what was measured on DynamoDB Local, or why nothing was */
export function reportedTable(
  dynalite: readonly Measured[],
  local: OnLocal<readonly Measured[]>,
): Table {
  const engines: readonly OnEngine[] = [
    { engine: 'dynalite', measured: dynalite },
    ...(local.kind === 'done' ? [{ engine: LOCAL, measured: local.result }] : []),
  ];
  const missing = local.kind === 'done' ? [] : [[LOCAL, `not measured: ${local.why}`, ...DASHES]];
  return {
    name: 'writes',
    title: 'The units of the calculator, beside what the engines report',
    columns: [
      'engine',
      'booked by',
      'single-item requests with a report',
      'tables the same',
      'indexes the same',
      'transactions: by the rules, reported',
    ],
    rows: [...engines.flatMap(rowsOf), ...missing],
    notes: [
      'Bodies of all four sizes; first delivery, copy and conflict. A request whose condition fails has no report. Dynalite reports no units of indexes; its transactions are carried out by the recorder, one action after another, and have no report either.',
      `A transaction by the rules is twice the units of its actions, the index once. The calculator follows AWS's pages there, and DynamoDB Local does not${local.kind === 'done' ? ', as its figures show' : ''}: transactions are no goal.`,
    ],
    goals: engines.map(goalOf),
  };
}

const DASHES = ['–', '–', '–', '–'] as const;

function rowsOf({ engine, measured }: OnEngine): readonly (readonly string[])[] {
  const countsIndexes = isCountingIndexes(measured);
  return [...new Set(measured.map(({ booker }) => booker))].map((booker) => {
    const all = chargedOf(measured.filter((each) => each.booker === booker));
    const single = all.filter(isReportedSingle);
    const transactions = all.filter(
      ({ operation, outcome }) => isTransaction(operation) && outcome === 'written',
    );
    const shareOf = (isSame: (each: Charged) => boolean) =>
      single.length === 0 ? '–' : `${single.filter(isSame).length} of ${single.length}`;
    return [
      engine,
      booker,
      String(single.length),
      shareOf(hasSameTable),
      countsIndexes ? shareOf(hasSameIndexes) : '–',
      transactions.length === 0 ? '–' : transactions.map(transactionText).join('; '),
    ];
  });
}

/** An engine that counts them leaves them out of a report only where they are none. */
function isCountingIndexes(measured: readonly Measured[]): boolean {
  return chargedOf(measured).some(({ reported }) => reported?.indexes !== undefined);
}

function chargedOf(measured: readonly Measured[]): readonly Charged[] {
  return measured.flatMap(({ charged }) => Object.values(charged).flat());
}

const isTransaction = (operation: string) => operation === 'TransactWriteItems';

function isReportedSingle({ operation, reported }: Charged): boolean {
  return !isTransaction(operation) && reported !== undefined;
}

function hasSameTable({ units, reported, outcome }: Charged): boolean {
  return reported?.table === (outcome === 'read' ? units.reads : units.tableWrites);
}

function hasSameIndexes({ units, reported }: Charged): boolean {
  return (reported?.indexes ?? 0) === units.indexWrites;
}

/** `4 + 1, 4 + 2`: tables and index by the rules, and as reported. */
function transactionText({ units, reported }: Charged): string {
  const ours = `${units.tableWrites} + ${units.indexWrites}`;
  if (reported === undefined) return `${ours}, –`;
  return `${ours}, ${reported.table} + ${reported.indexes ?? '–'}`;
}

function goalOf({ engine, measured }: OnEngine): Goal {
  const single = chargedOf(measured).filter(isReportedSingle);
  const countsIndexes = isCountingIndexes(measured);
  const same = single.filter(
    (each) => hasSameTable(each) && (!countsIndexes || hasSameIndexes(each)),
  );
  return {
    goal: `single-item calls on ${engine} report the same units`,
    got: `${same.length} of ${single.length}`,
    isMet: single.length > 0 && same.length === single.length,
  };
}
