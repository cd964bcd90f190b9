/** docs/protocol.md, for the tests that hold it to the code. */
import { readFileSync } from 'node:fs';

export const text = readFileSync('docs/protocol.md', 'utf8');

export function blocks(info: string): readonly string[] {
  const found = text.matchAll(/^```([^\n]*)\n([\s\S]*?)\n```$/gm);
  return [...found].flatMap(([, name, code]) => (name === info ? [code ?? ''] : []));
}

export function block(info: string): string {
  const [only, ...others] = blocks(info);
  if (only === undefined || others.length > 0) {
    throw new Error(`docs/protocol.md has ${others.length + (only ? 1 : 0)} blocks ${info}`);
  }
  return only;
}

/** The cells of a table, by its first heading. */
export function rowsUnder(heading: string): readonly (readonly string[])[] {
  const start = text.indexOf(`| ${heading} |`);
  if (start < 0) throw new Error(`docs/protocol.md has no table that begins with ${heading}`);
  const [table = ''] = text.slice(start).split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

export function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}
