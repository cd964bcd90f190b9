/** The function of an `exactly-once` route. */
import { systemClock } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import { createLedgerTable } from '../adapters/exactly-once.ts';
import { bind } from './bind.ts';

export const handler = bind<ExactlyOnceRoute>((route, client, table) =>
  exactlyOnceDeduplicator(route, createLedgerTable(client, table), systemClock),
);
