/** What a change of the configuration does to messages under way, in sentences for a person. */
import type { PinName } from './pins.ts';
import type { Route } from './route.ts';

type Guarantee = Route['guarantee'];

export function bridgeEffect(): string {
  return (
    'Stacks, tables and rules are named after the bridge: new ones with empty tables are deployed ' +
    'beside the old, every message that a device sends again looks new to them, and devices on ' +
    'Basic Ingest still name the old rules.'
  );
}

/** A route that is gone, or goes by another name. */
export function removalEffect(guarantee: Guarantee): string {
  const gone = "Nothing handles this route's topic and queues any more; what waits in them stays.";
  switch (guarantee) {
    case 'exactly-once':
      return `${gone} If it was renamed: the name begins every key, so each charge that a device sends again looks new and is billed a second time.`;
    case 'deduplicated':
      return `${gone} If it was renamed: the name begins every key, so each message that a device sends again looks new and is forwarded a second time.`;
    case 'latest':
      return `${gone} If it was renamed: what waits in the old queues is not carried over; newest values are kept by device and topic and stay.`;
  }
}

/** @param guarantee that of the route as it is now */
export function pinEffect(pin: PinName, guarantee: Guarantee): string {
  switch (pin) {
    case 'guarantee':
      return `Records of the old guarantee stand in another table: each message sent again ${again(guarantee)}.`;
    case 'device':
      return `The device is part of every key: each message sent again ${again(guarantee)}.`;
    case 'id':
      return `Each message sent again gets another id: it ${again(guarantee)}.`;
    case 'sameBody':
      return 'Copies of what is recorded already are compared anew from the stored body: a field that counts now turns copies that differ in it into conflicts, and one that no longer counts makes duplicates of what would have been a conflict.';
    case 'version':
      return 'Versions that are stored came from the old field: where those of the new one are lower, new values are dropped as stale; where they are higher, an old copy can come back as the newest.';
    case 'entry.account':
      return 'Rows that are booked keep the index key of the old field, a charge sent again among them: an invoice by account finds only a part of the charges under either.';
    case 'entry.occurredAt':
      return 'Rows that are booked keep the period of the old field, a charge sent again among them: invoices around the change can miss charges or count them in another period.';
    case 'indexShards':
      return 'Rows that are booked stay in the partitions of the old number: with fewer, an invoice that reads the new number of them misses charges.';
  }
}

function again(guarantee: Guarantee): string {
  switch (guarantee) {
    case 'exactly-once':
      return 'looks new and is billed a second time';
    case 'deduplicated':
      return 'looks new and is forwarded a second time';
    case 'latest':
      return 'looks new, so an old copy can come back as the newest value';
  }
}
