/** The handshake's handler with stores in memory; what it did is on record. */
import type { Route } from '../../core/config/route.ts';
import type { Metric } from '../../core/operations/metrics.ts';
import type { Telemetry } from '../../core/tables/ports.ts';
import type { Publication } from '../../core/wire/forward.ts';
import { handshakeRouteOf } from '../../core/wire/handshake-route.ts';
import { createHandler } from '../../lambda/handshake/handler.ts';
import { MemoryDedupRecords, MemoryLedger, MemoryQuarantine } from '../stores/memory-stores.ts';
import { NOW } from './samples.ts';

export class HandshakeHarness {
  readonly ledger = new MemoryLedger();
  readonly dedupRecords = new MemoryDedupRecords();
  readonly quarantine = new MemoryQuarantine();
  readonly published: Publication[] = [];
  /** `route metric`, with `-` for requests that name no route. */
  readonly counts = new Map<string, number>();
  readonly notes: string[] = [];
  flushes = 0;
  /** Replace these to let a port fail or wait. */
  beforeStore: (id: string) => Promise<void> = async () => {};
  beforePublish: () => Promise<void> = async () => {};
  readonly #handler: ReturnType<typeof createHandler>;

  constructor(...routes: readonly Route[]) {
    const storesOf = (table: MemoryLedger | MemoryDedupRecords) => ({
      find: async (key: { pk: string; id: string }) => {
        await this.beforeStore(key.id);
        return table.find(key);
      },
      release: async (release: Parameters<MemoryLedger['release']>[0]) => {
        await this.beforeStore(release.key.id);
        return table.release(release);
      },
    });
    this.#handler = createHandler({
      routes: new Map(
        routes.map((route) => [
          route.name,
          { route: handshakeRouteOf(route), telemetry: this.#telemetryOf(route.name) },
        ]),
      ),
      telemetry: this.#telemetryOf('-'),
      ledger: storesOf(this.ledger),
      dedupRecords: storesOf(this.dedupRecords),
      findings: this.quarantine,
      publisher: {
        publish: async (publication) => {
          await this.beforePublish();
          this.published.push(publication);
        },
      },
      clock: () => NOW,
    });
  }

  /** Sends what the rule would; a text is the body as it is. */
  ask(
    kind: string,
    body: unknown,
    {
      device = 'dev-1',
      clientId = device,
      receivedAt = NOW + 60_000,
      remainingMillis = 30_000,
    }: {
      readonly device?: string;
      readonly clientId?: string;
      readonly receivedAt?: number;
      readonly remainingMillis?: number;
    } = {},
  ): Promise<void> {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const envelope = {
      body: bytes.toString('base64'),
      topic: `tollbridge/${device}/${kind}`,
      clientId,
      receivedAt,
      deliveryId: 'request-1',
    };
    return this.handle(envelope, remainingMillis);
  }

  handle(event: unknown, remainingMillis = 30_000): Promise<void> {
    return this.#handler(event, {
      awsRequestId: 'request-1',
      getRemainingTimeInMillis: () => remainingMillis,
    });
  }

  /** Every answer to a device, in order. */
  answersTo(device: string): readonly Readonly<Record<string, unknown>>[] {
    return this.published
      .filter(({ topic }) => topic === `tollbridge/${device}/receipts`)
      .flatMap(({ payload }) => JSON.parse(payload).receipts);
  }

  #telemetryOf(route: string): Telemetry {
    return {
      count: (metric: Metric, amount) => {
        const name = `${route} ${metric}`;
        if (amount > 0) this.counts.set(name, (this.counts.get(name) ?? 0) + amount);
      },
      note: (_, text) => this.notes.push(text),
      flush: () => this.flushes++,
    };
  }
}
