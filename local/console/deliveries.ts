/**
 * The last deliveries, and which of them still wait for a verdict. Owns both. Invariants: a delivery
 * gets one verdict, in which only `accepted` can become `resumed`; no more than a bounded number is held, the oldest goes first.
 */
import type { EpochMillis } from '../../core/base/time.ts';
import type { Verdict } from './counters.ts';
import type { RowKey } from './table-news.ts';

/** A delivery as the page shows it: every text can be shown as it is. */
export interface DeliveryShown {
  readonly seq: number;
  readonly at: EpochMillis;
  readonly route: string;
  readonly device: string;
  readonly id: string;
  readonly topic: string;
  readonly body: string;
  readonly bytes: number;
  readonly bodyHash: string;
  /** To ask for the message; none where its id could not be read. */
  readonly key: RowKey | null;
  readonly verdict: Verdict | null;
  /** Why it was rejected. */
  readonly detail: string | null;
}

export interface Followed {
  readonly deliveryId: string | undefined;
  /** What the delivery is known by on the error-action path. */
  readonly traceId: string;
  shown: DeliveryShown;
}

/** Told of a verdict, and of the one before it, if any. */
type Judged = (delivery: DeliveryShown, verdict: Verdict, before: Verdict | null) => void;

/** About 10 MB; a delivery that waits behind so many others is followed no further. */
const DELIVERIES_MAX = 10_000;

export class Deliveries {
  readonly #judged: Judged;
  readonly #all: Followed[] = [];
  readonly #byName = new Map<string, Followed>();
  /** Those without a verdict, by the hash of their body, the oldest first. */
  readonly #waiting = new Map<string, Set<Followed>>();

  constructor(judged: Judged) {
    this.#judged = judged;
  }

  keep(followed: Followed): void {
    this.#all.push(followed);
    for (const name of namesOf(followed)) this.#byName.set(name, followed);
    const { bodyHash } = followed.shown;
    const waiting = this.#waiting.get(bodyHash) ?? new Set();
    this.#waiting.set(bodyHash, waiting.add(followed));
    if (this.#all.length > DELIVERIES_MAX) this.#forgetOldest();
  }

  /** The last ones, the oldest of them first. */
  last(count: number): readonly DeliveryShown[] {
    return this.#all.slice(-count).map(({ shown }) => shown);
  }

  /** The first verdict stands, but that what was accepted can be found again by a later try. */
  judge(deliveryId: string, verdict: Verdict, detail: string | null = null): void {
    const followed = this.#byName.get(deliveryId);
    if (followed !== undefined) this.#judge(followed, verdict, detail);
  }

  /** Judges those that wait longest for a verdict on this body. */
  judgeWaiting(bodyHash: string, count: number, verdict: Verdict, detail: string | null = null) {
    const waiting = [...(this.#waiting.get(bodyHash) ?? [])].slice(0, Math.max(0, count));
    for (const followed of waiting) this.#judge(followed, verdict, detail);
  }

  #judge(followed: Followed, verdict: Verdict, detail: string | null): void {
    const before = followed.shown.verdict;
    // The write had landed and its answer was lost: the next try has found its own row.
    const isLaterTry = before === 'accepted' && verdict === 'resumed';
    if (before !== null && !isLaterTry) return;
    followed.shown = { ...followed.shown, verdict, detail };
    this.#stopWaiting(followed);
    this.#judged(followed.shown, verdict, before);
  }

  #stopWaiting(followed: Followed): void {
    const { bodyHash } = followed.shown;
    const waiting = this.#waiting.get(bodyHash);
    waiting?.delete(followed);
    if (waiting?.size === 0) this.#waiting.delete(bodyHash);
  }

  #forgetOldest(): void {
    const oldest = this.#all.shift();
    if (oldest === undefined) return;
    this.#judge(oldest, 'unknown', null);
    for (const name of namesOf(oldest)) {
      if (this.#byName.get(name) === oldest) this.#byName.delete(name);
    }
  }
}

function namesOf({ deliveryId, traceId }: Followed): readonly string[] {
  return deliveryId === undefined ? [traceId] : [deliveryId, traceId];
}
