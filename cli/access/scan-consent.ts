/**
 * A scan reads, and AWS charges, the whole table or index. So it says what it costs before it
 * begins, and begins only when somebody has agreed.
 */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { tell } from '../print.ts';
import { UsageError } from '../usage.ts';
import type { Access } from './access.ts';
import { type Size, sizeOf } from './reads.ts';

export interface ScanFlags {
  readonly yes: boolean;
}

export function withScan(command: Command): Command {
  return command.option('--yes', 'agree to what a scan costs, without being asked', false);
}

/** Amazon DynamoDB, "Read consistency": 4 KB cost half a unit when read eventually consistently. */
const READ_UNIT_BYTES = 4_096;
/** A page of a scan is up to 1 MB, and is rounded up by itself. */
const PAGE_BYTES = 1_048_576;

/** Read units of an eventually consistent scan. */
export function readUnitsOf({ bytes }: Size): number {
  const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
  return Math.max(0.5, Math.ceil(bytes / READ_UNIT_BYTES + pages - 1) / 2);
}

export interface ScanOf {
  readonly table: string;
  readonly index?: string;
  /** Why there is no key for it, and what would have one. */
  readonly because: string;
}

/**
 * Says what the scan costs and has it agreed to. Returns the size, for a progress bar.
 * @throws UsageError where nobody agreed
 */
export async function agreeToScan(
  { dynamodb, kind }: Access,
  { table, index, because }: ScanOf,
  { yes }: ScanFlags,
): Promise<Size> {
  const size = await sizeOf(dynamodb, table, index);
  const of = index === undefined ? `the table ${table}` : `the index ${index} of ${table}`;
  const age = kind === 'aws' ? ' (AWS counts about every six hours, so it can be more by now)' : '';
  tell(
    `This is a scan: ${because} It reads all of ${of}: about ${size.rows} rows, ` +
      `${size.bytes} bytes, ${readUnitsOf(size)} read units${age}.`,
  );
  if (yes || (await answersYes())) return size;
  throw new UsageError('a scan begins only with --yes, or with y as the answer; nothing was read');
}

async function answersYes(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await line.question('Go on? [y/N] ')).trim());
  } finally {
    line.close();
  }
}
