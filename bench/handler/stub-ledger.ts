/** A ledger at the port that costs next to nothing: a map of the rows that were booked. */

import { epochMillis } from '../../core/base/time.ts';
import type { MessageKey } from '../../core/message/id.ts';
import type { Ledger } from '../../core/tables/ports.ts';
import type { Row, RowWrite } from '../../core/tables/row.ts';

/** @param rowsMax the oldest rows above it are forgotten, so that memory stays the same */
export function createStubLedger(rowsMax: number): Ledger {
  const rows = new Map<string, Row>();
  // One for all time: a new one would pass over every entry that has been deleted.
  const oldestFirst = rows.keys();
  const nameOf = ({ pk, id }: MessageKey) => `${pk}\n${id}`;
  return {
    async book(write) {
      const name = nameOf(write.key);
      const row = rows.get(name);
      if (row !== undefined) {
        return { kind: row.fingerprint === write.first.fingerprint ? 'counted' : 'refused', row };
      }
      rows.set(name, firstRow(write));
      if (rows.size > rowsMax) rows.delete(oldestFirst.next().value ?? '');
      return { kind: 'written' };
    },
    find: async (key) => rows.get(nameOf(key)),
    count: async () => {},
  };
}

function firstRow({ first }: RowWrite): Row {
  const { rowVersion, firstDeliveryId, fingerprint, topic, body, bookedAtMillis } = first;
  return { rowVersion, firstDeliveryId, fingerprint, topic, body, bookedAtMillis };
}

/** Rows that stand before the first delivery comes, of messages that never come again. */
export async function prefill(ledger: Ledger, rows: number): Promise<void> {
  for (let at = 0; at < rows; at++) {
    const now = epochMillis(1_795_000_000_000 + at);
    const write: RowWrite = {
      key: { pk: `charges#meter-${at % 1_000}`, id: `old-${at}` },
      tries: 1,
      lastSeenAt: '',
      first: {
        rowVersion: 2,
        keyVersion: 1,
        route: 'charges',
        device: `meter-${at % 1_000}`,
        topic: `billing/meter-${at % 1_000}/charges`,
        body: `{"id":"old-${at}"}`,
        fingerprint: `fingerprint-${at}`,
        receivedAt: '',
        bookedAt: '',
        bookedAtMillis: now,
        principal: null,
        firstDeliveryId: `delivery-${at}`,
      },
    };
    await ledger.book(write as Parameters<Ledger['book']>[0]);
  }
}
