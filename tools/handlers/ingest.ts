/** The handler with fakes at its ports; what it did is on record. */

import type { Clock, EpochMillis } from '../../core/base/time.ts';
import type { ExactlyOnceRoute, Route } from '../../core/config/route.ts';
import { deduplicatedDeduplicator } from '../../core/guarantees/deduplicated/deduplicator.ts';
import type { Deduplicator } from '../../core/guarantees/deduplicator.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import { latestDeduplicator } from '../../core/guarantees/latest/deduplicator.ts';
import type { Metric } from '../../core/operations/metrics.ts';
import type { DedupRecords, Ledger, State } from '../../core/tables/ports.ts';
import type { RowWrite } from '../../core/tables/row.ts';
import type { Publication } from '../../core/wire/forward.ts';
import type { IngestDeps } from '../../lambda/ingest/deps.ts';
import { createHandler } from '../../lambda/ingest/handler.ts';
import {
  MemoryDedupRecords,
  MemoryLedger,
  MemoryQuarantine,
  MemoryState,
} from '../stores/memory-stores.ts';
import { BODY, NOW, routeOf } from './samples.ts';

export interface Receipt {
  readonly id?: string | number;
  readonly bodyHash: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly fields?: readonly string[];
  readonly bookedAt?: number;
}

/** An envelope as the rule makes it. */
export function envelopeOf(
  deliveryId: string,
  body: string | Uint8Array = BODY,
  device = 'dev-1',
  changes: Readonly<Record<string, unknown>> = {},
) {
  return {
    body: Buffer.from(body).toString('base64'),
    topic: `billing/${device}/charges`,
    clientId: device,
    principal: 'principal-1',
    receivedAt: NOW,
    deliveryId,
    ...changes,
  };
}

/** A queue's event; the n-th record is called `m-n`, from 1. */
export function queueEvent(...bodies: readonly unknown[]) {
  return {
    Records: bodies.map((body, n) => ({
      messageId: `m-${n + 1}`,
      eventSource: 'aws:sqs',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: { SentTimestamp: String(NOW) },
    })),
  };
}

export class Ingest {
  readonly ledger = new MemoryLedger();
  readonly dedupRecords = new MemoryDedupRecords();
  readonly state = new MemoryState();
  readonly quarantine = new MemoryQuarantine();
  /** What happened, in order: `book`, `quarantine`, `forward`, `receipt`. */
  readonly steps: string[] = [];
  readonly published: Publication[] = [];
  readonly counts = new Map<Metric, number>();
  readonly notes: { readonly text: string; readonly fields: Readonly<Record<string, unknown>> }[] =
    [];
  flushes = 0;
  now: EpochMillis = NOW;
  /** Replace these to let a port fail or wait. */
  beforeBook: (deliveryId: string) => Promise<void> = async () => {};
  afterBook: (deliveryId: string) => Promise<void> = async () => {};
  beforeFind: () => Promise<void> = async () => {};
  beforePut: () => Promise<void> = async () => {};
  beforePublish: (publication: Publication) => Promise<void> = async () => {};
  #handler: ReturnType<typeof createHandler>;

  /** On the billing route with changes, or on another route. */
  constructor(changes: Partial<ExactlyOnceRoute> = {}, route: Route = routeOf(changes)) {
    this.#handler = createHandler(this.#deps(route));
  }

  /** Deploys a changed route over the same tables. */
  deploy(route: Route): void {
    this.#handler = createHandler(this.#deps(route));
  }

  handle(event: unknown, remainingMillis = 30_000) {
    return this.#handler(event, {
      awsRequestId: 'request-1',
      getRemainingTimeInMillis: () => remainingMillis,
    });
  }

  /** Handles a queue's batch of envelopes and gives the records that failed. */
  async failures(...bodies: readonly unknown[]): Promise<readonly string[]> {
    const answer = await this.handle(queueEvent(...bodies));
    return (answer?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  }

  get forwards() {
    return this.published.filter(({ topic }) => !topic.startsWith('tollbridge/'));
  }

  /** Receipts by device, in the order they went out. */
  receiptsTo(device: string): readonly Receipt[] {
    return this.published
      .filter(({ topic }) => topic === `tollbridge/${device}/receipts`)
      .flatMap(({ payload }) => JSON.parse(payload).receipts);
  }

  #deps(route: Route): IngestDeps {
    const clock = () => this.now;
    return {
      route,
      clock,
      deduplicator: this.#deduplicator(route, clock),
      quarantine: {
        put: async (row) => {
          await this.beforePut();
          this.steps.push('quarantine');
          return this.quarantine.put(row);
        },
      },
      publisher: {
        publish: async (publication) => {
          await this.beforePublish(publication);
          this.steps.push(publication.topic.startsWith('tollbridge/') ? 'receipt' : 'forward');
          this.published.push(publication);
        },
      },
      telemetry: {
        count: (metric, amount) => this.counts.set(metric, (this.counts.get(metric) ?? 0) + amount),
        note: (_, text, fields) => this.notes.push({ text, fields }),
        flush: () => this.flushes++,
      },
    };
  }

  #deduplicator(route: Route, clock: Clock): Deduplicator {
    switch (route.guarantee) {
      case 'exactly-once':
        return exactlyOnceDeduplicator(route, this.#ledger, clock);
      case 'deduplicated':
        return deduplicatedDeduplicator(route, this.#dedupRecords, clock);
      case 'latest':
        return latestDeduplicator(route, this.#state, clock);
    }
  }

  async #book<T>(write: RowWrite, book: () => Promise<T>): Promise<T> {
    await this.beforeBook(write.first.firstDeliveryId);
    this.steps.push('book');
    const result = await book();
    await this.afterBook(write.first.firstDeliveryId);
    return result;
  }

  async #find<T>(find: () => Promise<T>): Promise<T> {
    await this.beforeFind();
    return find();
  }

  readonly #ledger: Ledger = {
    book: (write) => this.#book(write, () => this.ledger.book(write)),
    find: (key) => this.#find(() => this.ledger.find(key)),
    count: (write, owner) => this.ledger.count(write, owner),
  };
  readonly #dedupRecords: DedupRecords = {
    admit: (write) => this.#book(write, () => this.dedupRecords.admit(write)),
    renew: (write, old) => this.#book(write, () => this.dedupRecords.renew(write, old)),
    find: (key) => this.#find(() => this.dedupRecords.find(key)),
    count: (write, owner) => this.dedupRecords.count(write, owner),
    push: (write, owner) => this.dedupRecords.push(write, owner),
  };
  readonly #state: State = {
    put: (write) => this.#book(write, () => this.state.put(write)),
  };
}
