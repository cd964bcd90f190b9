/**
 * A scan reads, and AWS charges, the whole table or index. So it says what it costs before it
 * begins, and begins only when somebody has agreed.
 */
import type { Command } from 'commander';
import { printError } from '../output/print.ts';
import { confirm } from '../shell/confirm.ts';
import type { BridgeClient } from './access.ts';
import { type Size, sizeOf } from './reads.ts';

export interface ScanFlags {
  readonly yes: boolean;
}

export function withScan(command: Command): Command {
  return command.option('--yes', 'agree to what a scan costs, without being asked', false);
}

/** Amazon DynamoDB, "Read consistency": 4 KB cost half a unit when read eventually consistently. */
const READ_UNIT_BYTES = 4_096;

/** Read units of an eventually consistent scan. */
export function readUnitsOf({ bytes }: Size): number {
  return Math.ceil(bytes / READ_UNIT_BYTES) / 2;
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
  { dynamodb, kind }: BridgeClient,
  { table, index, because }: ScanOf,
  { yes }: ScanFlags,
): Promise<Size> {
  const size = await sizeOf(dynamodb, table, index);
  const of = index === undefined ? `the table ${table}` : `the index ${index} of ${table}`;
  printError(`This is a scan: ${because} It reads all of ${of}: ${costOf(size, kind)}.`);
  await confirm('read all of it', yes);
  return size;
}

function costOf(size: Size, kind: BridgeClient['kind']): string {
  if (kind === 'local') return 'the local cloud counts no rows, and nobody pays for them';
  const age = 'AWS counts about every six hours';
  return size.bytes === 0
    ? `AWS has counted no rows in it so far, so what it costs is not known (${age})`
    : `about ${size.rows} rows, ${size.bytes} bytes, ${readUnitsOf(size)} read units (${age}, so it can be more by now)`;
}
