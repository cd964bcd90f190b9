/** Binds the handler to AWS. The environment is the template's (`lib/constructs`). */

import { systemClock } from '../../core/base/time.ts';
import { NO_ROUTE } from '../../core/operations/metrics.ts';
import type { HandshakeRoute } from '../../core/wire/handshake-route.ts';
import { createDataPlaneClient, createStoreClient } from '../adapters/clients.ts';
import { createDataPlane } from '../adapters/data-plane.ts';
import { variable } from '../adapters/environment.ts';
import { createFindings } from '../adapters/quarantine-table.ts';
import { createDedupRecordsReleases, createLedgerReleases } from '../adapters/releases.ts';
import { createTelemetry } from '../adapters/telemetry.ts';
import { createHandler } from './handler.ts';

/** Put in by the bundler: with many routes it is longer than all variables of a function may be. */
declare const BRIDGE_ROUTES: readonly HandshakeRoute[];

const dynamodb = createStoreClient();

export const handler = createHandler({
  routes: new Map(
    BRIDGE_ROUTES.map((route) => [route.name, { route, telemetry: createTelemetry(route.name) }]),
  ),
  ledger: createLedgerReleases(dynamodb, variable('LEDGER_TABLE')),
  dedupRecords: createDedupRecordsReleases(dynamodb, variable('DEDUP_RECORDS_TABLE')),
  findings: createFindings(dynamodb, variable('QUARANTINE_TABLE')),
  publisher: createDataPlane(createDataPlaneClient()),
  telemetry: createTelemetry(NO_ROUTE),
  clock: systemClock,
});
