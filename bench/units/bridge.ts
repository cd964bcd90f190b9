/** The bridge's function, with its real adapters, on any DynamoDB engine; nothing is published. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSEvent } from 'aws-lambda';
import { SAMPLE_NOW, SAMPLE_ROUTE } from '../../cli/cost/sample.ts';
import { epochMillis } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import type { Metric } from '../../core/operations/metrics.ts';
import type { Publisher, Telemetry } from '../../core/tables/ports.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import { createQuarantineTable } from '../../lambda/adapters/quarantine-table.ts';
import { createHandler } from '../../lambda/ingest/handler.ts';

export interface BridgeParts {
  readonly client: DynamoDBClient;
  readonly ledger: string;
  readonly quarantine: string;
  readonly publisher: Publisher;
  readonly telemetry?: Telemetry;
  readonly route?: ExactlyOnceRoute;
}

/** @returns handles a batch; throws when a delivery of it would have to be tried again */
export function bridgeOn(parts: BridgeParts): (event: SQSEvent) => Promise<void> {
  const { client, publisher, route = SAMPLE_ROUTE } = parts;
  let now = SAMPLE_NOW;
  const clock = () => now;
  const handler = createHandler({
    route,
    clock,
    deduplicator: exactlyOnceDeduplicator(route, createLedgerTable(client, parts.ledger), clock),
    quarantine: createQuarantineTable(client, parts.quarantine, clock),
    publisher,
    telemetry: parts.telemetry ?? countingTelemetry(new Map()),
  });
  return async (event) => {
    now = epochMillis(now + 1_000);
    const answer = await handler(event, {
      awsRequestId: 'request',
      getRemainingTimeInMillis: () => 600_000,
    });
    const failed = answer?.batchItemFailures.length ?? 0;
    if (failed > 0) throw new Error(`${failed} deliveries failed while they were counted`);
  };
}

/** Counts, and says nothing. */
function countingTelemetry(counts: Map<Metric, number>): Telemetry {
  return {
    count: (metric, amount) => counts.set(metric, (counts.get(metric) ?? 0) + amount),
    note: () => {},
    flush: () => {},
  };
}
