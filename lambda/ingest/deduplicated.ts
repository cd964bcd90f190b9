/** The function of a `deduplicated` route. */
import { systemClock } from '../../core/base/time.ts';
import type { DeduplicatedRoute } from '../../core/config/route.ts';
import { deduplicatedDeduplicator } from '../../core/guarantees/deduplicated/deduplicator.ts';
import { createDedupRecordsTable } from '../adapters/deduplicated.ts';
import { bind } from './bind.ts';

export const handler = bind<DeduplicatedRoute>((route, client, table) =>
  deduplicatedDeduplicator(route, createDedupRecordsTable(client, table), systemClock),
);
