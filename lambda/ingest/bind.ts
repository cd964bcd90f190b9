/** Binds the handler of one route to AWS. The environment is the template's (`lib/constructs`). */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import type { Deduplicator } from '../../core/guarantees/deduplicator.ts';
import type { FactsOf } from '../../core/guarantees/index.ts';
import { createDataPlaneClient, createStoreClient } from '../adapters/clients.ts';
import { createDataPlane } from '../adapters/data-plane.ts';
import { variable } from '../adapters/environment.ts';
import { createQuarantineTable } from '../adapters/quarantine-table.ts';
import { createTelemetry } from '../adapters/telemetry.ts';
import { createHandler } from './handler.ts';

/**
 * Each guarantee has an entry of its own, so that a bundle holds what its routes need and no more.
 *
 * @param make given the one table of messages that this function's role may write to
 */
export function bind<R extends Route>(
  make: (route: R, client: DynamoDBClient, table: string) => Deduplicator<FactsOf<R>>,
): ReturnType<typeof createHandler> {
  const route: R = JSON.parse(variable('ROUTE'));
  const client = createStoreClient();
  return createHandler({
    route,
    deduplicator: make(route, client, variable('MESSAGES_TABLE')),
    quarantine: createQuarantineTable(client, variable('QUARANTINE_TABLE'), systemClock),
    publisher: createDataPlane(createDataPlaneClient()),
    telemetry: createTelemetry(route.name),
    clock: systemClock,
  });
}
