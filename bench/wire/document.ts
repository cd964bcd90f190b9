/**
 * The tables of docs/wire.md. Everything else in it is written by hand: a table stands between two
 * comments that name it, and is replaced there.
 */
import { markdownOf, type Table } from '../../tools/document-tables.ts';

export type TableName = 'single' | 'gathered' | 'native' | 'connection';

/** @throws Error when the document has no place for the table, or two */
export function withTable(text: string, name: TableName, table: Table): string {
  const [before, after] = aroundTable(text, name);
  return `${before}\n${markdownOf(table)}\n${after}`;
}

/** The lines of the table as they stand in the document. */
export function linesOf(text: string, name: TableName): readonly string[] {
  const [before, after] = aroundTable(text, name);
  return text
    .slice(before.length, text.length - after.length)
    .trim()
    .split('\n');
}

function aroundTable(text: string, name: TableName): readonly [string, string] {
  const begin = `<!-- bench:wire ${name} -->`;
  const [before, rest, ...more] = text.split(begin);
  const end = rest?.indexOf(END) ?? -1;
  if (before === undefined || rest === undefined || more.length > 0 || end < 0) {
    throw new Error(`the document needs one place "${begin} … ${END}"; it is docs/wire.md`);
  }
  return [before + begin, rest.slice(end)];
}

const END = '<!-- end -->';
