/** Stores in memory that keep the contract of `test/contract/ledger.contract.ts`. */

import { TerminalError } from '../../core/errors.ts';
import type { MessageKey } from '../../core/identity.ts';
import { type LedgerRow, type LedgerWrite, ledgerRowFault } from '../../core/ledger-row.ts';
import type { Ledger, Quarantine } from '../../core/ports.ts';
import type { QuarantineRow } from '../../core/quarantine-row.ts';

/** One write is one step: it has been decided before the caller waits for it. */
export class MemoryLedger implements Ledger {
  readonly rows = new Map<string, LedgerRow>();
  readonly writes: LedgerWrite[] = [];

  async book(write: LedgerWrite) {
    const fault = ledgerRowFault(write);
    if (fault !== undefined) throw new TerminalError(`booking refused: ${fault}`);
    this.writes.push(write);
    const key = JSON.stringify(write.key);
    const old = this.rows.get(key);
    if (old !== undefined && old.likeness !== write.first.likeness) {
      return { kind: 'refused', row: old } as const;
    }
    const { firstDeliveryId, likeness, topic, body, bookedAtMillis } = write.first;
    const first = old ?? { firstDeliveryId, likeness, topic, body, bookedAtMillis };
    const row = { ...first, tries: (old?.tries ?? 0) + write.tries };
    this.rows.set(key, row);
    return { kind: 'written', row } as const;
  }

  async find(key: MessageKey) {
    return this.rows.get(JSON.stringify({ pk: key.pk, id: key.id }));
  }
}

export class MemoryQuarantine implements Quarantine {
  readonly rows = new Map<string, QuarantineRow & { readonly tries: number }>();

  async put(row: QuarantineRow) {
    const key = JSON.stringify(row.key);
    const old = this.rows.get(key);
    this.rows.set(key, { ...(old ?? row), tries: (old?.tries ?? 0) + 1 });
  }

  /** The rows, in the order of their first writing. */
  list() {
    return [...this.rows.values()];
  }
}
