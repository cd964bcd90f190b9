/** What a charge says: the part of a ledger row that invoices are made of. */

import { type DecimalReading, readDecimal } from '../base/decimal.ts';
import { readInstant } from '../base/instant.ts';
import { fieldAt, isJsonNumber, type JsonObject, type JsonValue } from '../base/json.ts';
import { PARTITION_KEY_BYTES_MAX, QUOTED_CHARS_MAX } from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import type { EpochMillis } from '../base/time.ts';
import type { EntryConfig } from '../config/route.ts';
import type { Fault } from './reasons.ts';

export interface Entry {
  readonly account: string;
  /** A decimal, exactly the number that was sent. */
  readonly amount: string;
  readonly unit: string;
  readonly occurredAt: EpochMillis;
}

/** What was read, or why it could not be. */
export type Reading<T> = ({ readonly ok: true } & T) | ({ readonly ok: false } & Fault);

export function readEntry(
  config: EntryConfig,
  body: JsonObject,
): Reading<{ readonly entry: Entry }> {
  const account = readAccount(config, fieldAt(body, config.account.path));
  if (!account.ok) return account;
  const amount = readAmount(config, fieldAt(body, config.amount.path));
  if (!amount.ok) return amount;
  const time = readTime(config.occurredAt.path, body);
  if (!time.ok) return time;
  const entry = {
    account: account.account,
    amount: amount.amount,
    unit: config.unit,
    occurredAt: time.time,
  };
  return { ok: true, entry };
}

function readAccount(
  config: EntryConfig,
  value: JsonValue | undefined,
): Reading<{ readonly account: string }> {
  const where = `the account (${config.account.path})`;
  if (value === undefined || value === null || value === '') {
    return { ok: false, reason: 'missing-account', detail: `${where} is missing or empty` };
  }
  const account = isJsonNumber(value) && /^-?\d+$/.test(value.value) ? value.value : value;
  if (typeof account !== 'string' || !account.isWellFormed()) {
    const detail = `${where} is ${show(value)}; a string or an integer is allowed`;
    return { ok: false, reason: 'invalid-account', detail };
  }
  const bytes = Buffer.byteLength(account);
  if (bytes <= ACCOUNT_BYTES_MAX) return { ok: true, account };
  const detail = `${where} has ${bytes} bytes; 1 to ${ACCOUNT_BYTES_MAX} are allowed`;
  return { ok: false, reason: 'too-long', detail };
}

/** The index's partition key holds the account, a month, a shard and the signs between them. */
const ACCOUNT_BYTES_MAX = PARTITION_KEY_BYTES_MAX - '#2026-11#99'.length;

function readAmount(
  config: EntryConfig,
  value: JsonValue | undefined,
): Reading<{ readonly amount: string }> {
  const where = `the amount (${config.amount.path})`;
  if (value === undefined || value === null || value === '') {
    return { ok: false, reason: 'missing-amount', detail: `${where} is missing or empty` };
  }
  const text = isJsonNumber(value) ? value.value : value;
  const reading: DecimalReading =
    typeof text === 'string' ? readDecimal(text) : { ok: false, detail: 'not a decimal number' };
  if (reading.ok) return { ok: true, amount: reading.decimal };
  const detail = `${where} is ${show(value)}: ${reading.detail}`;
  return { ok: false, reason: 'invalid-amount', detail };
}

/** Reads a time that the body has to hold. */
export function readTime(path: string, body: JsonObject): Reading<{ readonly time: EpochMillis }> {
  const value = fieldAt(body, path);
  if (value === undefined || value === null) {
    return { ok: false, reason: 'missing-time', detail: `the time (${path}) is missing` };
  }
  const time = readInstant(value);
  if (time !== undefined) return { ok: true, time };
  const allowed = 'RFC 3339 with its offset, or integer epoch milliseconds';
  const detail = `the time (${path}) is ${show(value)}; allowed: ${allowed}`;
  return { ok: false, reason: 'invalid-time', detail };
}

function show(value: JsonValue): string {
  if (isJsonNumber(value)) return value.value.slice(0, QUOTED_CHARS_MAX);
  if (typeof value === 'string') return quoted(value, QUOTED_CHARS_MAX);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
