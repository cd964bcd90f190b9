/**
 * What the functions really tell CloudWatch: the real handlers with the real telemetry, over stores
 * in memory, driven into everything that is counted. Each line in the embedded metric format is
 * read as CloudWatch reads it.
 */
import { vi } from 'vitest';
import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import type { Bridge, Route } from '../../core/config/route.ts';
import { deduplicatedDeduplicator } from '../../core/guarantees/deduplicated/deduplicator.ts';
import type { Deduplicator } from '../../core/guarantees/deduplicator.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import { latestDeduplicator } from '../../core/guarantees/latest/deduplicator.ts';
import { NO_ROUTE } from '../../core/operations/metrics.ts';
import type { Publisher } from '../../core/tables/ports.ts';
import { handshakeRouteOf } from '../../core/wire/handshake-route.ts';
import { createTelemetry } from '../../lambda/adapters/telemetry.ts';
import { createHandler as createHandshake } from '../../lambda/handshake/handler.ts';
import { createHandler } from '../../lambda/ingest/handler.ts';
import {
  MemoryDedupRecords,
  MemoryLedger,
  MemoryQuarantine,
  MemoryState,
} from '../stores/memory-stores.ts';
import { envelopeOf, queueEvent } from './ingest.ts';
import { bodyWith, NOW } from './samples.ts';

/** One metric of one line. */
export interface Emitted {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** Runs something with this service name and gives every metric that it wrote to the output. */
export async function emittedBy(service: string, run: () => Promise<void>) {
  const lines: string[] = [];
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', service);
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(...String(chunk).split('\n'));
    return true;
  });
  try {
    await run();
  } finally {
    write.mockRestore();
    vi.unstubAllEnvs();
  }
  return lines.filter((line) => line.includes('"_aws"')).flatMap(metricsOf);
}

interface EmfLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

function metricsOf(line: string): readonly Emitted[] {
  const emf: EmfLine = JSON.parse(line);
  return emf._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name, Unit }) => ({
        namespace: Namespace,
        name: Name,
        unit: Unit,
        dimensions: Object.fromEntries(names.map((name) => [name, String(emf[name])])),
        values: [emf[Name]].flat().map(Number),
      })),
    ),
  );
}

/** Everything that the functions of a bridge can tell, each of it driven at least once. */
export async function driveBridge(bridge: Bridge): Promise<void> {
  for (const route of bridge.routes) await driveRoute(route);
  await driveHandshake(bridge);
}

const ok: Publisher = { publish: async () => {} };
/** Only receipts reach the broker, or only forwards do. */
const failing = (isFailing: (topic: string) => boolean, error: Error): Publisher => ({
  publish: async ({ topic }) => {
    if (isFailing(topic)) throw error;
  },
});
const isReceipt = (topic: string) => topic.startsWith('tollbridge/');

async function driveRoute(route: Route): Promise<void> {
  const clock = () => NOW;
  const deduplicator = deduplicatorOf(route);
  const quarantine = new MemoryQuarantine();
  const deploy = (changes: { deduplicator?: Deduplicator; publisher?: Publisher } = {}) => {
    const telemetry = createTelemetry(route.name);
    const deps = { route, deduplicator, quarantine, publisher: ok, telemetry, clock, ...changes };
    const handler = createHandler(deps);
    return (deliveryId: string, body: string, changed: Readonly<Record<string, unknown>> = {}) => {
      const topic = route.topic.replace('+', 'dev-1');
      const envelope = envelopeOf(deliveryId, body, 'dev-1', { topic, ...changed });
      const invocation = { awsRequestId: 'r', getRemainingTimeInMillis: () => 30_000 };
      return handler(queueEvent(envelope), invocation);
    };
  };
  const at = (millis: number) => JSON.stringify(new Date(NOW + millis).toISOString());
  const handle = deploy();
  const body = bodyWith({ at: at(-1_000) });
  // Accepted, resumed by its own retry, a copy, and another body under the id or version.
  await handle('d-1', body, { receivedAt: NOW - 40 });
  await handle('d-1', body, { receivedAt: NOW - 40 });
  await handle('d-2', body);
  await handle('d-3', bodyWith({ at: at(-1_000), kWh: '99' }));
  // Rejected: no JSON, the wrong client, too late or stale, too early.
  await handle('d-4', 'no JSON');
  await handle('d-5', body, { clientId: 'dev-2' });
  await handle('d-6', bodyWith({ id: '"c-6"', at: at(-400 * 86_400_000) }));
  await handle('d-7', bodyWith({ id: '"c-7"', at: at(48 * 3_600_000) }));
  // The table refuses for good, fails in another way, and does not answer.
  const broken = (error: Error) => deploy({ deduplicator: { apply: () => Promise.reject(error) } });
  const fresh = (id: string, millis: number) => bodyWith({ id: `"${id}"`, at: at(millis) });
  await broken(new TerminalError('ValidationException'))('d-8', fresh('c-8', -900));
  await broken(new Error('a fault of the code'))('d-9', fresh('c-9', -800));
  await broken(new RetryableError('ProvisionedThroughputExceeded'))('d-10', fresh('c-10', -700));
  // The broker refuses the forward for good, and loses the receipt.
  const refusing = failing((topic) => !isReceipt(topic), new TerminalError('InvalidRequest'));
  await deploy({ publisher: refusing })('d-11', fresh('c-11', -600));
  const losing = failing(isReceipt, new RetryableError('InternalFailure'));
  // By a rule whose clock runs ahead of the function's.
  await deploy({ publisher: losing })('d-12', fresh('c-12', -500), { receivedAt: NOW + 5_000 });
}

function deduplicatorOf(route: Route): Deduplicator {
  const clock = () => NOW;
  switch (route.guarantee) {
    case 'exactly-once':
      return exactlyOnceDeduplicator(route, new MemoryLedger(), clock);
    case 'deduplicated':
      return deduplicatedDeduplicator(route, new MemoryDedupRecords(), clock);
    case 'latest':
      return latestDeduplicator(route, new MemoryState(), clock);
  }
}

async function driveHandshake({ routes }: Bridge): Promise<void> {
  const marking = { find: async () => undefined, release: async () => true };
  const lost = failing(isReceipt, new RetryableError('InternalFailure'));
  const deploy = (publisher: Publisher) =>
    createHandshake({
      routes: new Map(
        routes.map((route) => {
          const telemetry = createTelemetry(route.name);
          return [route.name, { route: handshakeRouteOf(route), telemetry }];
        }),
      ),
      telemetry: createTelemetry(NO_ROUTE),
      ledger: marking,
      dedupRecords: marking,
      findings: new MemoryQuarantine(),
      publisher,
      clock: () => NOW,
    });
  const ask = async (handler: ReturnType<typeof deploy>, kind: string, body: unknown) => {
    const topic = `tollbridge/dev-1/${kind}`;
    const invocation = { awsRequestId: 'r', getRemainingTimeInMillis: () => 30_000 };
    await handler(envelopeOf('q', JSON.stringify(body), 'dev-1', { topic }), invocation);
  };
  const handler = deploy(ok);
  for (const { name: route } of routes) {
    await ask(handler, 'release', { v: 1, route, ids: ['c-1', ''] });
    const messages = [{ id: 'c-1', bodyHash: 'a'.repeat(64) }];
    await ask(handler, 'query', { v: 1, route, messages });
    await ask(deploy(lost), 'query', { v: 1, route, messages }).catch(() => undefined);
  }
  await ask(handler, 'query', { v: 2 });
}
