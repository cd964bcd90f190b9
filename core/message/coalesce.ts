/** Copies inside one batch become one write. */
import type { Delivery } from './envelope.ts';
import type { Message, MessageReading } from './message.ts';

/** A delivery that has been read; `ref` is what the batch calls it by. */
export interface ReadDelivery {
  readonly ref: string;
  readonly delivery: Delivery;
  readonly reading: MessageReading;
}

/**
 * Deliveries of one message: the first of them is written, all share its fate. The ids of all are
 * kept, for one that is not the first may have booked the row in an earlier try and still owe its
 * forward (I4).
 */
export interface CoalescedDelivery {
  readonly refs: readonly string[];
  readonly deliveryIds: readonly string[];
  readonly delivery: Delivery;
  readonly reading: MessageReading;
}

/** @param isAlone each is settled by itself: it is passed on, or its own time of arrival counts */
export function coalesceDuplicates(
  deliveries: readonly ReadDelivery[],
  isAlone = false,
): readonly CoalescedDelivery[] {
  const folds = new Map<string, ReadDelivery[]>();
  for (const read of deliveries) {
    const key = isAlone ? read.ref : foldKeyOf(read);
    const fold = folds.get(key);
    if (fold === undefined) folds.set(key, [read]);
    else fold.push(read);
  }
  return [...folds.values()].flatMap((copies) => {
    const [first] = copies;
    if (first === undefined) return [];
    return {
      refs: copies.map(({ ref }) => ref),
      deliveryIds: copies.map(({ delivery }) => delivery.deliveryId),
      delivery: first.delivery,
      reading: first.reading,
    };
  });
}

/**
 * What has to be settled one after another, in order of arrival: the folds of one key. Whether a
 * later one falls into the window of an earlier one, and which value of a topic goes out last,
 * must not hang on whose write is quicker.
 */
export function groupByKey(
  folds: readonly CoalescedDelivery[],
): readonly (readonly CoalescedDelivery[])[] {
  const turns = new Map<string, CoalescedDelivery[]>();
  for (const fold of folds) {
    const { reading, refs } = fold;
    const name = reading.kind === 'rejected' ? nameOfRef(refs[0] ?? '') : nameOf(reading.message);
    const turn = turns.get(name);
    if (turn === undefined) turns.set(name, [fold]);
    else turn.push(fold);
  }
  return [...turns.values()].map((turn) => (turn.length === 1 ? turn : inOrder(turn)));
}

function inOrder(turn: readonly CoalescedDelivery[]): readonly CoalescedDelivery[] {
  return turn.toSorted((one, other) => one.delivery.receivedAt - other.delivery.receivedAt);
}

/** Only booked messages are folded; each rejected delivery keeps its own evidence. */
function foldKeyOf({ ref, reading }: ReadDelivery): string {
  if (reading.kind !== 'message') return nameOfRef(ref);
  return `${nameOf(reading.message)}${reading.message.fingerprint}`;
}

/** The lengths say where each part ends: no two keys have one name, whatever stands in them. */
function nameOf({ key: { pk, id } }: Message): string {
  return `${pk.length} ${id.length} ${pk}${id}`;
}

/** Begins with no digit, so that no key has this name. */
function nameOfRef(ref: string): string {
  return `ref ${ref}`;
}
