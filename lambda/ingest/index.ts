/** Binds the handler to AWS. The environment is the template's (`lib/constructs`). */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import type { Route } from '../../core/config/route.ts';
import { systemClock } from '../../core/time.ts';
import { DATA_PLANE_CLIENT, STORE_CLIENT } from '../adapters/clients.ts';
import { createDataPlane } from '../adapters/data-plane.ts';
import { variable } from '../adapters/environment.ts';
import { createLedgerTable } from '../adapters/ledger-table.ts';
import { createQuarantineTable } from '../adapters/quarantine-table.ts';
import { createHandler } from './handler.ts';
import { createTelemetry } from './telemetry.ts';

const route: Route = JSON.parse(variable('ROUTE'));
const dynamodb = new DynamoDBClient(STORE_CLIENT);

export const handler = createHandler({
  route,
  ledger: createLedgerTable(dynamodb, variable('LEDGER_TABLE')),
  quarantine: createQuarantineTable(dynamodb, variable('QUARANTINE_TABLE'), systemClock),
  publisher: createDataPlane(new IoTDataPlaneClient(DATA_PLANE_CLIENT)),
  telemetry: createTelemetry(route.name),
  clock: systemClock,
});
