/**
 * Follows deliveries from the rule to their verdict, and messages through their life, from what the
 * local cloud tells. Owns the counters, the last deliveries, the lives and the last notes.
 *
 * Invariants: a verdict comes from the write that names the delivery; a copy that was folded into
 * another's write gets its verdict with it; no event, however odd, makes it throw.
 */

import { bodyHashOf } from '../../core/base/hash.ts';
import { jsonOrUndefined } from '../../core/base/json.ts';
import type { Clock, EpochMillis } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { readEnvelope } from '../../core/message/envelope.ts';
import { keyOf } from '../../core/message/id.ts';
import { readMessage } from '../../core/message/message.ts';
import { levelOf } from '../../core/message/topics.ts';
import type { CloudEvent } from '../contracts.ts';
import { Counters, type Verdict } from './counters.ts';
import { Deliveries, type DeliveryShown } from './deliveries.ts';
import { hashName, Lives, lifeName } from './message-timeline.ts';
import { forwardIn, receiptsIn } from './publications.ts';
import type { Routes } from './routes.ts';
import { noteOf, receiptText, stepOf } from './steps.ts';
import { type RowKey, type TableNames, type TableNews, tableNewsOf } from './table-news.ts';
import { CELL_CHARS_MAX, shown, shownBytes } from './text.ts';

export interface Note {
  readonly kind: 'note';
  readonly at: EpochMillis;
  /** E.g. `fault`. */
  readonly what: string;
  readonly text: string;
}

type JournalNews =
  | { readonly kind: 'delivery'; readonly delivery: DeliveryShown }
  | {
      readonly kind: 'verdict';
      readonly seq: number;
      readonly verdict: Verdict;
      readonly detail: string | null;
    }
  | Note;

export interface JournalOptions {
  readonly routes: Routes;
  readonly tables: TableNames;
  readonly clock: Clock;
  readonly tell: (news: JournalNews) => void;
  /** Told of each write that was understood. */
  readonly written?: (news: TableNews) => void;
  /** Told of the body of each delivery. */
  readonly delivered?: (body: Buffer) => void;
}

type EventOf<Kind extends CloudEvent['kind']> = Extract<CloudEvent, { readonly kind: Kind }>;

/** What a page that has just been opened is shown. */
const RECENT_DELIVERIES = 200;
const RECENT_NOTES = 50;
const NOTE_CHARS_MAX = 300;

export class Journal {
  readonly counters: Counters;
  readonly lives = new Lives();
  readonly #options: JournalOptions;
  readonly #deliveries: Deliveries;
  readonly #notes: Note[] = [];
  #seq = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.counters = new Counters(options.clock);
    this.#deliveries = new Deliveries(({ seq, detail }, verdict, before) => {
      this.counters.verdict(verdict, before);
      options.tell({ kind: 'verdict', seq, verdict, detail });
    });
  }

  readonly observe = (event: CloudEvent): void => {
    try {
      this.counters.count(event);
      if (event.kind === 'delivery') this.#deliver(event);
      if (event.kind === 'table') this.#written(event);
      if (event.kind === 'published') this.#published(event);
      const note = noteOf(event);
      if (note !== undefined) this.#note(...note);
    } catch {
      this.counters.unread();
    }
  };

  recent(): { readonly deliveries: readonly DeliveryShown[]; readonly notes: readonly Note[] } {
    return { deliveries: this.#deliveries.last(RECENT_DELIVERIES), notes: [...this.#notes] };
  }

  #deliver(event: EventOf<'delivery'>): void {
    const { topic, payload, clientId, traceId, rule } = event;
    const { clock, tell, routes, delivered } = this.#options;
    const at = clock();
    const route = routes.get(rule);
    const { deliveryId, key } = readDelivery(route, event, at);
    const bodyHash = bodyHashOf(topic, payload);
    this.#seq += 1;
    const delivery: DeliveryShown = {
      seq: this.#seq,
      at,
      route: route?.name ?? shown(rule),
      device: shown(levelOf(topic, route?.device.level ?? 2) ?? clientId ?? ''),
      id: shown(key?.id ?? ''),
      topic: shown(topic),
      body: shownBytes(payload, CELL_CHARS_MAX),
      bytes: payload.length,
      bodyHash,
      key: key ?? null,
      verdict: null,
      detail: null,
    };
    this.#deliveries.keep({ deliveryId, traceId, shown: delivery });
    this.counters.delivery();
    tell({ kind: 'delivery', delivery });
    if (route === undefined) {
      // Releases and queries come by rules of their own, and are no messages.
      this.#deliveries.judgeWaiting(bodyHash, Number.POSITIVE_INFINITY, 'request');
      return;
    }
    delivered?.(payload);
    const text = `at the rule, on ${shown(topic)}, from client ${shown(clientId ?? '-')}`;
    const name = key === undefined ? hashName(bodyHash) : lifeName(key);
    this.lives.add(name, { at, kind: 'delivery', text, bodyHash });
  }

  #written(event: EventOf<'table'>): void {
    const { tables, clock, written } = this.#options;
    const news = tableNewsOf(event, tables);
    if (news === undefined) return;
    const { name, step } = stepOf(news, clock());
    this.lives.add(name, step);
    this.#judge(news);
    written?.(news);
  }

  #judge(news: TableNews): void {
    if (news.kind === 'booking') {
      const { deliveryId, bodyHash, verdict, added } = news;
      this.#deliveries.judge(deliveryId, verdict);
      this.#deliveries.judgeWaiting(bodyHash, added - 1, 'duplicate');
    }
    // An unforwardable one is booked: its verdict stands.
    if (news.kind === 'quarantined' && news.reason !== 'unforwardable') {
      const { deliveryId, bodyHash, reason, added } = news;
      const verdict = reason === 'conflict' ? 'conflict' : 'rejected';
      const detail = shown(`${reason}: ${news.detail}`, NOTE_CHARS_MAX);
      this.#deliveries.judge(deliveryId, verdict, detail);
      this.#deliveries.judgeWaiting(bodyHash, added - 1, verdict, detail);
    }
  }

  #published({ topic, payload, qos }: EventOf<'published'>): void {
    const { clock, routes } = this.#options;
    const at = clock();
    const receipts = receiptsIn(topic, payload, routes);
    if (receipts === undefined) {
      const key = forwardIn(payload, routes);
      if (key === undefined) return;
      const text = `on ${shown(topic)} at QoS ${qos}`;
      this.lives.add(lifeName(key), { at, kind: 'forward', text, bodyHash: null });
      return;
    }
    for (const { receipt, key } of receipts) {
      const bodyHash = receipt.outcome === 'completed' ? null : receipt.bodyHash;
      const isStale = receipt.outcome === 'rejected' && receipt.reason === 'stale';
      if (bodyHash !== null && (receipt.outcome === 'duplicate' || isStale)) {
        // A write that names no delivery (a copy in a window, a stale value) is known by it.
        this.#deliveries.judgeWaiting(bodyHash, 1, isStale ? 'stale' : 'duplicate');
      }
      const name = (bodyHash && this.lives.nameOf(bodyHash)) || (key && lifeName(key));
      if (name === undefined) continue;
      const text = `${receiptText(receipt)}, on ${shown(topic)}`;
      this.lives.add(name, { at, kind: 'receipt', text, bodyHash });
    }
  }

  #note(what: string, text: string): void {
    const at = this.#options.clock();
    const note: Note = { kind: 'note', at, what, text: shown(text, NOTE_CHARS_MAX) };
    this.#notes.push(note);
    if (this.#notes.length > RECENT_NOTES) this.#notes.shift();
    this.#options.tell(note);
  }
}

/** What the function will read of a delivery. */
interface DeliveryRead {
  readonly deliveryId: string | undefined;
  /** None where the id cannot be read. */
  readonly key: RowKey | undefined;
}

/** Reads a delivery as the function will, from what the rule has made of it. */
function readDelivery(
  route: Route | undefined,
  event: EventOf<'delivery'>,
  now: EpochMillis,
): DeliveryRead {
  const envelope = readEnvelope(jsonOrUndefined(event.output), now);
  if (!envelope.ok) return { deliveryId: undefined, key: undefined };
  const { delivery } = envelope;
  const { deliveryId } = delivery;
  if (route === undefined) return { deliveryId, key: undefined };
  const reading = readMessage(route, delivery);
  if (reading.kind !== 'rejected') return { deliveryId, key: reading.message.key };
  const { id, device } = reading.rejection;
  const isKnown = id !== undefined && device !== undefined;
  return { deliveryId, key: isKnown ? keyOf(route.name, device, id) : undefined };
}
