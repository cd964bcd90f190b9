/** What a charge says: the part of a ledger row that invoices are made of. */

import { type DecimalReading, readDecimal } from '../base/decimal.ts';
import { fieldAt, isJsonNumber, type JsonObject, type JsonValue } from '../base/json.ts';
import { PARTITION_KEY_BYTES_MAX } from '../base/limits.ts';
import type { EpochMillis } from '../base/time.ts';
import type { EntryConfig } from '../config/route.ts';
import { type Reading, readTime, shownValue } from './reading.ts';

export interface Entry {
  readonly account: string;
  /** A decimal, exactly the number that was sent. */
  readonly amount: string;
  readonly unit: string;
  readonly occurredAt: EpochMillis;
}

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
    const detail = `${where} is ${shownValue(value)}; a string or an integer is allowed`;
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
  const detail = `${where} is ${shownValue(value)}: ${reading.detail}`;
  return { ok: false, reason: 'invalid-amount', detail };
}
