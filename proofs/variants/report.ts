/** What came of the variants, for a person and for `docs/proof.md`. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { printable } from '../../core/base/printable.ts';
import type { Finding } from './judge.ts';
import type { Proof } from './run.ts';

const SAID_CHARS_MAX = 120;
const HEAD = ['after', 'variant', 'breaks', 'caught by', 'which said'];
const COLUMN_WIDTHS = [24, 28, 10, 44, 50];

/** Whether every variant was caught as it says, and the code itself was not. */
export function isProven({ findings, control }: Proof): boolean {
  return control?.failure === undefined && findings.every(({ fault }) => fault === undefined);
}

export function proofTable({ findings }: Proof): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [] },
    colWidths: COLUMN_WIDTHS,
    wordWrap: true,
  });
  for (const finding of findings) {
    const { after, name, breaks } = finding.variant;
    table.push([after, name, breaks.join(' '), checkText(finding), saidText(finding)]);
  }
  return table.toString();
}

/** The same, with what the fault is, and without what differs from run to run. */
export function proofMarkdown({ findings }: Proof): string {
  const lines = findings.map((finding) => {
    const { after, name, fault, breaks } = finding.variant;
    const caught = finding.fault === undefined ? checkText(finding) : saidText(finding);
    return `| ${[after, `\`${name}\``, fault, breaks.join(', '), caught].map(cellOf).join(' | ')} |`;
  });
  const head = ['after', 'variant', 'fault', 'breaks', 'caught by'];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n');
}

export function conclusion(proof: Proof): string {
  const { findings, control } = proof;
  const escaped = findings.filter(({ fault }) => fault !== undefined);
  const names = new Set(findings.map(({ variant }) => variant.name));
  const lines = escaped.map(({ variant, check, fault }) => {
    return `NOT caught: ${variant.name}, by the ${check.by}: ${fault}`;
  });
  if (control?.failure !== undefined) {
    const { invariant, seed, what } = control.failure;
    lines.push(`The code itself fails: ${invariant}, seed ${seed}: ${what}`);
  } else if (control !== undefined) {
    lines.push(`The code itself passes ${control.schedules} schedules from the same seed.`);
  }
  if (escaped.length === 0) lines.push(`All ${names.size} broken variants are caught.`);
  return lines.join('\n');
}

function checkText({ check, after }: Finding): string {
  return check.by === 'simulation' ? `the simulation, ${after}` : `${check.file}: ${check.title}`;
}

function saidText({ said, fault }: Finding): string {
  return fault === undefined ? firstLine(said) : `NOT CAUGHT: ${fault}`;
}

function firstLine(text: string): string {
  const [line = ''] = stripVTControlCharacters(text).split('\n');
  return printable(line, SAID_CHARS_MAX);
}

function cellOf(text: string): string {
  return text.replaceAll('|', '\\|');
}
