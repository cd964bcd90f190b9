/** Tables as people read them: in a terminal, and in a document. Pure. */
import CliTable from 'cli-table3';
import type { Goal, Table } from './table.ts';

export function terminalText({ title, columns, rows, notes, goals }: Table): string {
  const table = new CliTable({ head: [...columns], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return [title, table.toString(), ...notes, ...goals.map(goalText), ''].join('\n');
}

export function markdownText({ title, columns, rows, notes, goals }: Table): string {
  const table = [columns, columns.map(() => '---'), ...rows].map(rowText).join('\n');
  const list = notes.map((note) => `- ${note}`).join('\n');
  const reached = goals.map((goal) => `- ${goalText(goal)}`).join('\n');
  return [`### ${title}`, table, list, reached].filter((part) => part !== '').join('\n\n');
}

/** Goals met and missed, all tables together. */
export function goalsText(tables: readonly Table[]): string {
  const rows = tables.flatMap(({ name, goals }) =>
    goals.map(({ goal, got, isMet }) => [name, goal, got, isMet ? 'met' : '**missed**']),
  );
  if (rows.length === 0) return 'None of these tables has a goal.';
  return [['table', 'goal', 'got', ''], ['---', '---', '---', '---'], ...rows]
    .map(rowText)
    .join('\n');
}

function goalText({ goal, got, isMet }: Goal): string {
  return `${isMet ? 'met' : 'MISSED'}: ${goal}; got ${got}`;
}

function rowText(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
