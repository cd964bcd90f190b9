/**
 * How deliveries end in the real handler over stores in memory, and what has to be true of every
 * end: one end for each record, the body kept byte for byte, a receipt that the device can read.
 */
import { isDeepStrictEqual } from 'node:util';
import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import type { Route } from '../../core/config/route.ts';
import type { Reason } from '../../core/message/reasons.ts';
import { stripBasicIngest } from '../../core/message/topics.ts';
import { readReceipts } from '../../core/wire/receipts.ts';
import { Ingest } from '../../tools/handlers/ingest.ts';
import { fail } from './fail.ts';

/** What a port does while the first try runs. */
export type PortFault = 'none' | 'throttled' | 'refused' | 'after-write' | 'quarantine-down';

const BOOKED = ['Accepted', 'Resumed', 'Duplicate'] as const;
const ENDS = [...BOOKED, 'Conflict', 'Rejected', 'Stale', 'Unverified'] as const;

/** Every reason that a delivery can be refused for; the compiler sees that none is left out. */
const REASONS: Readonly<Record<Reason, true>> = {
  'unreadable-envelope': true,
  'wrong-topic': true,
  'missing-device': true,
  'wrong-device': true,
  'too-long': true,
  'invalid-body': true,
  'missing-id': true,
  'invalid-id': true,
  'missing-account': true,
  'invalid-account': true,
  'missing-amount': true,
  'invalid-amount': true,
  'missing-time': true,
  'invalid-time': true,
  late: true,
  early: true,
  conflict: true,
  stale: true,
  'refused-by-store': true,
  unforwardable: true,
};
export const ALL_REASONS = Object.keys(REASONS) as readonly Reason[];

/** The function with its stores; tries are handed to it one after another. */
export class Bench {
  readonly ingest: Ingest;
  readonly #ends = new Set<string>();
  #counted = 0;

  constructor(route: Route) {
    this.ingest = new Ingest({}, route);
  }

  /** Everything that has been reached, reasons among them. */
  ends(): readonly string[] {
    for (const { reason } of this.ingest.quarantine.rows.values()) {
      this.#ends.add(`rejected: ${reason}`);
    }
    return [...this.#ends];
  }

  /** Hands over a batch while a port fails; then everything may be reported as failed, or be kept. */
  async failing(records: readonly unknown[], fault: PortFault): Promise<void> {
    if (fault === 'none') return;
    const { ingest } = this;
    const undo = breakPort(ingest, fault);
    const failed = await ingest.failures(...records);
    undo();
    if (failed.length > 0) this.#ends.add('failed, a port did');
    this.#count();
  }

  /** Hands over a batch while every port works: no record may be reported as failed. */
  async settled(records: readonly unknown[]): Promise<void> {
    const failed = await this.ingest.failures(...records);
    if (failed.length > 0) fail('records failed though no port did', failed, this.ingest.notes);
    const ended = this.#count();
    if (ended !== records.length) fail('not one end for each record', ended, records.length);
    this.#readReceipts();
  }

  /** How many records have ended since the last time. */
  #count(): number {
    const { counts } = this.ingest;
    let sum = 0;
    for (const name of ENDS) {
      const count = counts.get(name) ?? 0;
      if (count > 0) this.#ends.add(name.toLowerCase());
      sum += count;
    }
    const ended = sum - this.#counted;
    this.#counted = sum;
    return ended;
  }

  /** What is told can be read by the device library, entry by entry. */
  #readReceipts(): void {
    for (const { topic, payload } of this.ingest.published) {
      if (!topic.startsWith('tollbridge/')) continue;
      const reading = readReceipts(Buffer.from(payload));
      if (!reading.ok) fail('the device cannot read its receipts', reading.detail);
      if (reading.odd.length > 0) fail('a receipt is odd to the device', reading.odd);
      for (const answer of reading.receipts) {
        if (answer.outcome === 'rejected' && answer.reason === 'stale') {
          this.#ends.add('rejected: stale');
        }
      }
    }
  }

  /** The bytes that were delivered stand in a row, exactly; a copy's may stand for it. */
  assertKept(topic: string, body: Uint8Array): void {
    const { ledger, dedupRecords, state, quarantine } = this.ingest;
    const hash = bodyHashOf(stripBasicIngest(topic), body);
    const tables = [ledger.rows, dedupRecords.rows, state.rows, quarantine.rows];
    const rows = tables.flatMap((table) => [...table.values()]);
    const isThere = rows.some((row) => bodyHashOf(row.topic, Buffer.from(row.body)) === hash);
    if (!isThere) fail('the body is kept nowhere, byte for byte', hash);
  }

  /** The tables as they are, to see that nothing changes them. */
  rows(): readonly unknown[] {
    const { ledger, dedupRecords, state } = this.ingest;
    const booked = [...ledger.rows.values(), ...dedupRecords.rows.values(), ...state.rows.values()];
    return booked.map(({ body, firstDeliveryId, bookedAt }) => [body, firstDeliveryId, bookedAt]);
  }

  assertUnchanged(before: readonly unknown[]): void {
    if (!isDeepStrictEqual(this.rows(), before)) fail('a copy has changed what was booked');
  }
}

function breakPort(ingest: Ingest, fault: Exclude<PortFault, 'none'>): () => void {
  const nothing = async () => {};
  const throttled = async () => {
    throw new RetryableError('throttled');
  };
  switch (fault) {
    case 'throttled':
      ingest.beforeBook = throttled;
      break;
    case 'refused':
      ingest.beforeBook = async () => {
        throw new TerminalError('the table refuses it');
      };
      break;
    case 'after-write':
      ingest.afterBook = throttled;
      break;
    case 'quarantine-down':
      ingest.beforePut = throttled;
  }
  return () => {
    ingest.beforeBook = nothing;
    ingest.afterBook = nothing;
    ingest.beforePut = nothing;
  };
}
