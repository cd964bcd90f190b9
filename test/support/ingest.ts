/** The handler with fakes at its ports; what it did is on record. */
import type { Route } from '../../core/config/route.ts';
import type { Metric } from '../../core/metrics.ts';
import type { Publication } from '../../core/ports.ts';
import { createHandler } from '../../lambda/ingest/handler.ts';
import type { IngestDeps } from '../../lambda/ingest/settle.ts';
import { MemoryLedger, MemoryQuarantine } from './memory-stores.ts';
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
  readonly quarantine = new MemoryQuarantine();
  /** What happened, in order: `book`, `quarantine`, `forward`, `receipt`. */
  readonly steps: string[] = [];
  readonly published: Publication[] = [];
  readonly counts = new Map<Metric, number>();
  readonly notes: { readonly text: string; readonly fields: Readonly<Record<string, unknown>> }[] =
    [];
  flushes = 0;
  /** Replace these to let a port fail or wait. */
  beforeBook: (deliveryId: string) => Promise<void> = async () => {};
  beforeFind: () => Promise<void> = async () => {};
  beforePut: () => Promise<void> = async () => {};
  beforePublish: (publication: Publication) => Promise<void> = async () => {};
  readonly #handler: ReturnType<typeof createHandler>;

  constructor(changes: Partial<Route> = {}) {
    this.#handler = createHandler(this.#deps(routeOf(changes)));
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
    return {
      route,
      clock: () => NOW,
      ledger: {
        book: async (write) => {
          await this.beforeBook(write.first.firstDeliveryId);
          this.steps.push('book');
          return this.ledger.book(write);
        },
        find: async (key) => {
          await this.beforeFind();
          return this.ledger.find(key);
        },
      },
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
}
