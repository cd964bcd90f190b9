/**
 * How results are printed: a table for people, JSON lines or CSV for programs. All of them stream:
 * at most one page of rows is held, and a slow reader slows the read down.
 */
import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { printed } from './print.ts';
import { forCsv, forJson, forTerminal } from './safe.ts';

/** What `withOutput` adds to a command's flags. */
export interface OutputFlags {
  readonly json?: true;
  readonly csv?: true;
}

export interface Column<Row> {
  readonly name: string;
  /** The cell's text, as a device may have sent it; it is made harmless here. */
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

interface Listing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  /** The object that `--json` prints of a row. */
  readonly json: (row: Row) => object;
  /** What the rows are called in the count below the table; no count without it. */
  readonly counted?: readonly [one: string, many: string];
}

export interface Output {
  readonly format: 'table' | 'json' | 'csv';
  /** Prints the rows as they come and says how many they were. */
  list<Row>(listing: Listing<Row>): Promise<number>;
  /** A sentence beside a table; programs do not get it. */
  printNote(text: string): Promise<void>;
}

export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option('--json', 'print one JSON object a line; decimals are strings').conflicts('csv'),
    )
    .option('--csv', 'print CSV with a header; what would be a formula begins with an apostrophe');
}

/** `write` is standard output unless a test wants it. */
export function outputOf(
  { json, csv }: OutputFlags,
  write: (text: string) => Promise<void> = printed,
): Output {
  if (json)
    return { format: 'json', list: (listing) => listJson(listing, write), printNote: nothing };
  if (csv) return { format: 'csv', list: (listing) => listCsv(listing, write), printNote: nothing };
  return {
    format: 'table',
    list: (listing) => listTable(listing, write),
    printNote: (text) => write(`${text}\n`),
  };
}

async function nothing(): Promise<void> {}

type Write = (text: string) => Promise<void>;

async function listJson<Row>({ rows, json }: Listing<Row>, write: Write): Promise<number> {
  let count = 0;
  for await (const row of rows) {
    await write(`${forJson(json(row))}\n`);
    count++;
  }
  return count;
}

async function listCsv<Row>({ columns, rows }: Listing<Row>, write: Write): Promise<number> {
  await write(stringify([columns.map(({ name }) => name)]));
  let count = 0;
  for await (const row of rows) {
    await write(stringify([columns.map(({ text }) => forCsv(text(row)))]));
    count++;
  }
  return count;
}

/** A table needs the widest cell of each column, so long ones are printed as several. */
const TABLE_ROWS = 500;

async function listTable<Row>(listing: Listing<Row>, write: Write): Promise<number> {
  const { columns, rows, counted } = listing;
  let page: string[][] = [];
  let count = 0;
  const flush = async () => {
    await write(`${tableOf(columns, page)}\n`);
    page = [];
  };
  for await (const row of rows) {
    page.push(columns.map(({ text }) => forTerminal(text(row))));
    count++;
    if (page.length === TABLE_ROWS) await flush();
  }
  if (page.length > 0 || count === 0) await flush();
  if (counted !== undefined) await write(`${countText(count, counted)}\n`);
  return count;
}

function tableOf<Row>(columns: readonly Column<Row>[], cells: readonly string[][]): string {
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: { head: [], border: [] },
  });
  table.push(...cells);
  return table.toString();
}

export function countText(count: number, [one, many]: readonly [string, string]): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}
