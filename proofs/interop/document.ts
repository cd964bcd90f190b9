/**
 * The tables of docs/interop.md. Everything else in it is written by hand: a table stands between
 * two comments that name it, and is replaced there.
 */
import { markdownOf, type Table } from '../../tools/document-tables.ts';
import type { Tally } from './reconcile.ts';

export const DOCUMENT = 'docs/interop.md';
export const WRITE = 'TOLLBRIDGE_WRITE_DOCS';

export type TableName = 'clients' | 'reasons' | 'versions';

/** What a run of one client came to. */
export interface ClientRun extends Tally {
  readonly client: string;
  readonly mqtt: string;
  readonly broker: string;
  readonly transport: string;
  readonly cuts: number;
  /** PUBLISHes that came with the DUP flag; undefined where the broker does not tell of them. */
  readonly marked: number | undefined;
}

type Cell = (run: ClientRun) => string | number;

/** Columns that are the same in every run. */
const STEADY: readonly (readonly [string, Cell])[] = [
  ['client', ({ client }) => client],
  ['MQTT', ({ mqtt }) => mqtt],
  ['broker', ({ broker }) => broker],
  ['transport', ({ transport }) => transport],
  ['QoS', () => 1],
  ['meant', ({ meant }) => meant],
  ['booked', ({ booked }) => booked],
  ['lost', ({ lost }) => lost],
  ['doubled', ({ doubled }) => doubled],
  ['conflicts', ({ conflicts }) => conflicts],
  ['receipts', ({ receipts }) => receipts],
  ['untrue', ({ untrue }) => untrue],
];

/** Columns of one run: another has other figures. */
const VOLATILE: readonly (readonly [string, Cell])[] = [
  ['cuts', ({ cuts }) => cuts],
  ['deliveries', ({ deliveries }) => deliveries],
  ['copies', ({ deliveries, booked }) => deliveries - booked],
  ['with DUP', ({ marked }) => marked ?? '–'],
];

export const steadyColumns = STEADY.length;

export function clientsTable(runs: readonly ClientRun[]): Table {
  const columns = [...STEADY, ...VOLATILE];
  return {
    head: columns.map(([name]) => name),
    rows: runs.map((run) => columns.map(([, cell]) => String(cell(run)))),
  };
}

/** @throws Error when the document has no place for the table, or two */
export function withTable(text: string, name: TableName, table: Table): string {
  const [before, after] = aroundTable(text, name);
  return `${before}\n${markdownOf(table)}\n${after}`;
}

/** The cells of the table as they stand in the document, its head first. */
export function cellsOf(text: string, name: TableName): readonly (readonly string[])[] {
  const [before, after] = aroundTable(text, name);
  const lines = text
    .slice(before.length, text.length - after.length)
    .trim()
    .split('\n');
  const [head = '', , ...rows] = lines;
  return [head, ...rows].map((line) => line.slice(2, -2).split(' | '));
}

function aroundTable(text: string, name: TableName): readonly [string, string] {
  const parts = text.split(`<!-- interop ${name} -->`);
  const [before = '', rest = ''] = parts;
  const end = rest.indexOf('<!-- end -->');
  if (parts.length !== 2 || end < 0) {
    throw new Error(`${DOCUMENT} needs one place "<!-- interop ${name} --> … <!-- end -->"`);
  }
  return [`${before}<!-- interop ${name} -->`, rest.slice(end)];
}
