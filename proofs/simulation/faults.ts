/**
 * Every fault that a schedule can hold. A fault strikes at its n-th opportunity, as the schedule
 * says; how often each really struck is counted.
 */
export const FAULTS = {
  'packet-lost': 'a PUBLISH is lost, and its connection with it',
  'packet-delayed': 'a PUBLISH arrives minutes later, perhaps after its connection has ended',
  'packet-reordered': 'a PUBLISH is overtaken by a later one of the same device',
  'packet-repeated': 'the broker takes a PUBLISH twice',
  'puback-lost': 'the broker took the PUBLISH, and the device never hears of it',
  'puback-refused': 'the broker refuses a PUBLISH with a reason of 0x80 or more',
  'gone-after-puback': 'a PUBLISH is acknowledged, and no rule ever sees it',
  'connection-cut': 'the connection ends with everything that is on it',
  'receipt-lost': 'receipts are lost on the way to the device',
  'receipt-delayed': 'receipts arrive much later, perhaps in another life of the device',
  'receipt-repeated': 'receipts arrive twice',
  'forward-repeated': 'the broker hands a forward to the receiver twice',
  'action-failed': "the rule's action fails, and its error action takes the delivery",
  'event-repeated': "Lambda's own queue invokes the function twice for one event",
  'redelivered-while-running': 'the queue hands a message out again while the first try still runs',
  'delete-lost': 'a message that is done with is not deleted, and comes again',
  'dead-lettered': 'a message was tried too often and is a dead letter',
  'redriven-days-later': 'dead letters are moved back after days',
  'crash-before-write': 'the function ends before its write goes out',
  'crash-after-write': 'the function ends after its write landed',
  'crash-after-forward': 'the function ends after its forward went out',
  'crash-between-receipts': 'the function ends when some receipts are out and some are not',
  'write-slow': "a write lands after the function's deadline",
  'no-time-left': 'the function is started with no time left to settle anything',
  'store-throttled': 'the store throttles a call',
  'answer-lost-retried': 'a write landed, its answer is lost, and the SDK writes again',
  'answer-lost': 'a write landed, and the function hears of a time-out',
  'store-down': 'the store does not answer for hours',
  'forward-throttled': 'a forward is throttled',
  'forward-answer-lost': 'a forward went out, and the function hears of a time-out',
  'forward-refused': 'the broker refuses a forward for good',
  'receipt-throttled': 'a publication of receipts is throttled',
  'swept-promptly': 'TTL removes a row in the very second it may',
  'swept-late': 'TTL removes a row hours after it may',
  'never-swept': 'a row that TTL may remove is still there when a delivery meets it',
  'device-ahead': "a device's clock runs ahead",
  'device-behind': "a device's clock runs behind",
  'reboot-with-outbox': 'a device starts again with its outbox',
  'reboot-without-outbox': 'a device starts again and has lost its outbox',
  'receiver-reboot': 'the receiver ends at any moment and starts again',
  'same-id-other-body': 'an id that is used comes with another body',
  'same-ids-two-devices': 'two devices use the same ids',
  'foreign-topic': "a device publishes on another's topic",
  'no-id': 'a message has no id, or an empty one',
  'broken-body': 'a message is no JSON',
  'copy-sent': 'a device sends the same bytes again, with DUP set',
  'release-first': 'a release overtakes its message',
  'foreign-request': 'a device releases or queries in the name of another',
  'copy-restamped': 'a copy differs in a field that its route ignores',
  'basic-ingest': "a PUBLISH goes to its rule alone, by Basic Ingest's topic",
} as const;

export type Fault = keyof typeof FAULTS;

/** Those that strike at an opportunity; the others are done on purpose or come about. */
export const STRIKING = [
  'packet-lost',
  'packet-delayed',
  'packet-reordered',
  'packet-repeated',
  'puback-lost',
  'puback-refused',
  'gone-after-puback',
  'receipt-lost',
  'receipt-delayed',
  'receipt-repeated',
  'forward-repeated',
  'action-failed',
  'event-repeated',
  'redelivered-while-running',
  'delete-lost',
  'redriven-days-later',
  'crash-before-write',
  'crash-after-write',
  'crash-after-forward',
  'crash-between-receipts',
  'write-slow',
  'no-time-left',
  'store-throttled',
  'answer-lost-retried',
  'answer-lost',
  'forward-throttled',
  'forward-answer-lost',
  'forward-refused',
  'receipt-throttled',
] as const satisfies readonly Fault[];

export type Striking = (typeof STRIKING)[number];

/** Those with few opportunities in a schedule: drawn more often, and for the first of these. */
export const SELDOM = [
  'redelivered-while-running',
  'redriven-days-later',
  'crash-between-receipts',
  'receipt-repeated',
  'action-failed',
] as const satisfies readonly Striking[];

export interface Strike {
  readonly fault: Striking;
  /** The opportunity at which it strikes, from 0. */
  readonly nth: number;
  /** How hard, from 0 to 99: a delay, mostly. */
  readonly size: number;
}

/** How often each fault struck. */
export type Coverage = Map<Fault, number>;

export class Faults {
  readonly coverage: Coverage = new Map();
  /** From now on nothing strikes any more. */
  isCalm = false;
  readonly #planned = new Map<string, number>();
  readonly #opportunities = new Map<Striking, number>();

  constructor(strikes: readonly Strike[]) {
    for (const { fault, nth, size } of strikes) this.#planned.set(`${fault} ${nth}`, size);
  }

  /** An opportunity: the size of the strike, or undefined when there is none. */
  strike(fault: Striking): number | undefined {
    const size = this.meant(fault);
    if (size !== undefined) this.count(fault);
    return size;
  }

  /** The same where only what follows shows whether it really struck; `count` says so then. */
  meant(fault: Striking): number | undefined {
    if (this.isCalm) return undefined;
    const nth = this.#opportunities.get(fault) ?? 0;
    this.#opportunities.set(fault, nth + 1);
    return this.#planned.get(`${fault} ${nth}`);
  }

  count(fault: Fault): void {
    this.coverage.set(fault, (this.coverage.get(fault) ?? 0) + 1);
  }
}
