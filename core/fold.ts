/** Copies inside one batch become one write (design §3). */
import type { Delivery } from './envelope.ts';
import type { MessageReading } from './message.ts';

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
export interface Fold {
  readonly refs: readonly string[];
  readonly deliveryIds: readonly string[];
  readonly delivery: Delivery;
  readonly reading: MessageReading;
}

/** @param isAlone each is settled by itself: it is passed on, or its own time of arrival counts */
export function foldCopies(deliveries: readonly ReadDelivery[], isAlone = false): readonly Fold[] {
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
export function inTurn(folds: readonly Fold[]): readonly (readonly Fold[])[] {
  const turns = new Map<string, Fold[]>();
  for (const fold of folds) {
    const { reading } = fold;
    const name =
      reading.kind === 'rejected'
        ? JSON.stringify(fold.refs)
        : JSON.stringify([reading.message.key.pk, reading.message.key.id]);
    const turn = turns.get(name);
    if (turn === undefined) turns.set(name, [fold]);
    else turn.push(fold);
  }
  const arrival = ({ delivery }: Fold) => delivery.receivedAt;
  return [...turns.values()].map((turn) =>
    turn.toSorted((one, other) => arrival(one) - arrival(other)),
  );
}

/** Only booked messages are folded; each rejected delivery keeps its own evidence. */
function foldKeyOf({ ref, reading }: ReadDelivery): string {
  if (reading.kind !== 'message') return JSON.stringify([ref]);
  const { key, likeness } = reading.message;
  return JSON.stringify([key.pk, key.id, likeness]);
}
