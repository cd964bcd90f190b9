/** Binds the handler to AWS. The environment is the template's (`lib/constructs`). */

import { systemClock } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { createDataPlaneClient, createStoreClient } from '../adapters/clients.ts';
import { createDataPlane } from '../adapters/data-plane.ts';
import { variable } from '../adapters/environment.ts';
import { createQuarantineTable } from '../adapters/quarantine-table.ts';
import {
  createDedupRecordsTable,
  createLedgerTable,
  createStateTable,
} from '../adapters/tables.ts';
import { createTelemetry } from '../adapters/telemetry.ts';
import { createHandler } from './handler.ts';
import { exactlyOnceDeduplicator } from './ledger-register.ts';
import type { Deduplicator } from './register.ts';
import { latestDeduplicator } from './state-register.ts';
import { deduplicatedDeduplicator } from './window-register.ts';

const route: Route = JSON.parse(variable('ROUTE'));
const dynamodb = createStoreClient();

function registerOf(): Deduplicator {
  // The one table of messages that this function's role may write to.
  const table = variable('MESSAGES_TABLE');
  switch (route.guarantee) {
    case 'exactly-once':
      return exactlyOnceDeduplicator(route, createLedgerTable(dynamodb, table), systemClock);
    case 'deduplicated':
      return deduplicatedDeduplicator(route, createDedupRecordsTable(dynamodb, table), systemClock);
    case 'latest':
      return latestDeduplicator(route, createStateTable(dynamodb, table), systemClock);
  }
}

export const handler = createHandler({
  route,
  register: registerOf(),
  quarantine: createQuarantineTable(dynamodb, variable('QUARANTINE_TABLE'), systemClock),
  publisher: createDataPlane(createDataPlaneClient()),
  telemetry: createTelemetry(route.name),
  clock: systemClock,
});
