/** The register of `exactly-once` routes. Rows are never forgotten. */

import type { Clock } from '../../core/base/time.ts';
import type { LedgerRoute } from '../../core/config/route.ts';
import { ledgerWriteOf } from '../../core/guarantees/exactly-once/row.ts';
import {
  acceptedVerdict,
  conflictVerdict,
  isSameMessage,
  standingVerdict,
} from '../../core/guarantees/verdict.ts';
import type { Ledger } from '../../core/tables/ports.ts';
import type { Register } from './register.ts';

export function createLedgerRegister(route: LedgerRoute, ledger: Ledger, clock: Clock): Register {
  return {
    async decide({ delivery, deliveryIds, reading }) {
      const { message } = reading;
      // A copy that comes too late to be booked anew may still be the copy of a booked message.
      if (reading.kind === 'untimely' && (await ledger.find(message.key)) === undefined) {
        return { kind: 'rejected', rejection: reading.rejection };
      }
      const write = ledgerWriteOf(route, delivery, message, deliveryIds.length, clock());
      const result = await ledger.book(write);
      if (result.kind === 'written') return acceptedVerdict(write);
      const { kind, row } = result;
      if (kind === 'counted') return standingVerdict(row, deliveryIds);
      if (!isSameMessage(row, write, route.ignoring)) {
        return conflictVerdict(row, write, route.ignoring);
      }
      await ledger.count(write, row.firstDeliveryId);
      return standingVerdict(row, deliveryIds);
    },
  };
}
