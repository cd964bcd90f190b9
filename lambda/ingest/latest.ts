/** The function of a `latest` route. */
import { systemClock } from '../../core/base/time.ts';
import type { LatestRoute } from '../../core/config/route.ts';
import { latestDeduplicator } from '../../core/guarantees/latest/deduplicator.ts';
import { createStateTable } from '../adapters/latest.ts';
import { bind } from './bind.ts';

export const handler = bind<LatestRoute>((route, client, table) =>
  latestDeduplicator(route, createStateTable(client, table), systemClock),
);
