/** Tables of the documents that a run writes. */
export type Row = readonly string[];

export interface Table {
  readonly head: Row;
  readonly rows: readonly Row[];
}

export function markdownOf({ head, rows }: Table): string {
  const lineOf = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [lineOf(head), `|${'---|'.repeat(head.length)}`, ...rows.map(lineOf)].join('\n');
}
