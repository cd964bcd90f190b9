/** A local cloud for tests: loopback, free ports, everything it tells kept. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { localDynamoDB } from '../../cli/access/local-tables.ts';
import { systemClock } from '../../core/base/time.ts';
import { type LocalCloud, startCloud } from '../../local/cloud.ts';
import { type CloudEvent, type Faults, noFaults } from '../../local/contracts.ts';

export type Row = Readonly<Record<string, AttributeValue>>;

export interface TestCloud {
  readonly cloud: LocalCloud;
  readonly port: number;
  readonly events: readonly CloudEvent[];
  /** Ends when such an event has been told, now or before. */
  seen(wanted: (event: CloudEvent) => boolean): Promise<void>;
  /** Every row of the table whose name holds this word. */
  rows(table: 'Ledger' | 'DedupRecords' | 'State' | 'Quarantine'): Promise<readonly Row[]>;
}

/** Redelivery after 18 seconds instead of three minutes: not before a busy machine has done its work. */
const SPEED = 10;

/** For tests that wait for a redelivery: it comes after a second and a half. */
export const REDELIVERING_SOON = { speed: 120 } as const;

export async function startTestCloud(
  assembly: string,
  faults: Partial<Faults> = {},
  options: Partial<Parameters<typeof startCloud>[0]> = {},
): Promise<TestCloud> {
  const events: CloudEvent[] = [];
  const waiting: { wanted: (event: CloudEvent) => boolean; resolve: () => void }[] = [];
  const observe = (event: CloudEvent) => {
    events.push(event);
    for (const { wanted, resolve } of waiting) if (wanted(event)) resolve();
  };
  const cloud = await startCloud({
    assembly,
    host: '127.0.0.1',
    mqttPort: 0,
    apiPort: 0,
    seed: 7,
    speed: SPEED,
    faults: { ...noFaults, ...faults },
    observe,
    clock: systemClock,
    ...options,
  });
  const client = localDynamoDB(cloud.apiUrl);
  return {
    cloud,
    port: cloud.mqttPort,
    events,
    seen: (wanted) =>
      new Promise((resolve) => {
        if (events.some(wanted)) resolve();
        else waiting.push({ wanted, resolve });
      }),
    rows: async (table) => {
      const rows: Row[] = [];
      const query = { TableName: cloud.tableName(table), ConsistentRead: true };
      for await (const page of paginateScan({ client }, query)) rows.push(...(page.Items ?? []));
      return rows;
    },
  };
}

/** What bad input must never leave behind: failed invocations, and messages in any queue. */
export async function leftovers({ cloud, events }: TestCloud): Promise<readonly string[]> {
  await cloud.idle();
  const failed = events.flatMap((event) =>
    event.kind === 'invocation' && event.outcome !== 'ok' ? [`invocation: ${event.outcome}`] : [],
  );
  const queued = [...cloud.queues].flatMap(([name, queue]) => {
    const { visible, inFlight } = queue.depth();
    return visible + inFlight > 0 ? [`${name}: ${visible} visible, ${inFlight} in flight`] : [];
  });
  return [...failed, ...queued];
}
