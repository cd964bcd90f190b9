/** The deduplicator of `deduplicated` routes over any engine, on a fake clock. */

import { epochMillis } from '../../core/base/time.ts';
import type { DeduplicatedRoute } from '../../core/config/route.ts';
import { deduplicatedDeduplicator } from '../../core/guarantees/deduplicated/deduplicator.ts';
import type { DeduplicatedRow } from '../../core/guarantees/deduplicated/row.ts';
import type { Decision } from '../../core/guarantees/deduplicator.ts';
import { readMessage } from '../../core/message/message.ts';
import type { DedupRecords } from '../../core/tables/ports.ts';
import type { Engine } from '../stores/engines.ts';
import { deliveryOf, NOW, windowRouteOf } from './samples.ts';

/** One delivery; all times are milliseconds after `NOW`. */
export interface Arrival {
  readonly id: string;
  readonly body: string;
  readonly receivedAt?: number;
  /** When it is handled; when it was received, unless something held it up. */
  readonly handledAt?: number;
}

export class WindowDecider {
  readonly #engine: Engine;
  readonly #route: DeduplicatedRoute;
  #now = 0;
  /** Replace it to let the store fail, or to let others get between. */
  readonly store: { -readonly [Call in keyof DedupRecords]: DedupRecords[Call] };

  constructor(engine: Engine, changes: Partial<DeduplicatedRoute> = {}) {
    this.#engine = engine;
    this.#route = windowRouteOf(changes);
    this.store = { ...engine.dedupRecords };
    const { dedupRecords } = engine;
    for (const call of ['admit', 'find', 'count', 'push', 'renew'] as const) {
      Object.assign(this.store, { [call]: dedupRecords[call].bind(dedupRecords) });
    }
  }

  decide({ id, body, receivedAt = 0, handledAt = receivedAt }: Arrival): Promise<Decision> {
    this.#now = handledAt;
    const delivery = deliveryOf(body, {
      deliveryId: id,
      receivedAt: epochMillis(NOW + receivedAt),
    });
    const reading = readMessage(this.#route, delivery);
    if (reading.kind === 'rejected') throw new Error(reading.rejection.detail);
    const clock = () => epochMillis(NOW + this.#now);
    const deduplicator = deduplicatedDeduplicator(this.#route, this.store, clock);
    return deduplicator.apply({ delivery, deliveryIds: [id], reading });
  }

  /** What it is, or why it is refused. */
  async kind(arrival: Arrival): Promise<string> {
    const decision = await this.decide(arrival);
    return decision.kind === 'rejected' ? decision.rejection.reason : decision.kind;
  }

  /** How many deliveries the row has counted. */
  async tries(body: string): Promise<number> {
    return Number((await this.#engine.item('dedupRecords', this.#keyOf(body))).tries?.N);
  }

  async row(body: string): Promise<DeduplicatedRow> {
    const row = await this.#engine.dedupRecords.find(this.#keyOf(body));
    if (row === undefined) throw new Error('there is no row');
    return row;
  }

  sweep(body: string): Promise<void> {
    return this.#engine.sweep('dedupRecords', this.#keyOf(body));
  }

  #keyOf(body: string) {
    const reading = readMessage(this.#route, deliveryOf(body));
    if (reading.kind === 'rejected') throw new Error(reading.rejection.detail);
    return reading.message.key;
  }
}
