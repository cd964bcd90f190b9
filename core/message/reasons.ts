import type { MessageId } from './id.ts';

/** Why a delivery could not be booked. The words stand in quarantine rows, receipts and metrics. */
export type Reason =
  /** The envelope is not one that a rule or its error action makes. */
  | 'unreadable-envelope'
  /** The topic does not match the route's filter. */
  | 'wrong-topic'
  /** The level that names the device is empty. */
  | 'missing-device'
  /** The client that published is not the device in the topic (I6). */
  | 'wrong-device'
  /** The body, the id, the account or a name is longer than what can be kept. */
  | 'too-long'
  /** Not a JSON object in UTF-8, nested too deep, or with a repeated key. */
  | 'invalid-body'
  | 'missing-id'
  | 'invalid-id'
  | 'missing-account'
  | 'invalid-account'
  | 'missing-amount'
  | 'invalid-amount'
  | 'missing-time'
  | 'invalid-time'
  /** Its time, or its arrival, lies longer ago than the route can tell copies from new ones. */
  | 'late'
  /** Its time lies more than a day ahead of the clock. */
  | 'early'
  /** The id is used up by another body (I5). */
  | 'conflict'
  /** A newer value of its topic is known; said in the receipt, counted, and not quarantined. */
  | 'stale'
  /** The table refused the row for good. */
  | 'refused-by-store'
  /** The booking stands; its forward can never be published. */
  | 'unforwardable';

/** A reason with what was got and what is allowed, for a person. */
export interface Fault {
  readonly reason: Reason;
  readonly detail: string;
}

/** A delivery that cannot be booked; what is known of it goes into quarantine. */
export interface Rejection extends Fault {
  readonly bodyHash: string;
  /** The device in the topic, where there is one. */
  readonly device: string | undefined;
  readonly id: MessageId | undefined;
  /** Whose receipts topic the answer goes to; never that of a device that did not publish. */
  readonly answerTo: string | undefined;
}
