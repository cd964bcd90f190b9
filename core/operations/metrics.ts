/** Names of metrics, shared by the function that emits them and the template that shows them. */
export const METRICS_NAMESPACE = 'Tollbridge';

/**
 * Dimensions of every metric: `service`, the bridge's name, and `route`, the route's. CloudWatch
 * keeps one series for each set of them, so whoever shows a metric has to name both.
 */
export function metricDimensions(bridge: string, route: string): Readonly<Record<string, string>> {
  return { service: bridge, route };
}

/** The route of a request that names none. */
export const NO_ROUTE = '-';

/** What is emitted for each batch. Nothing is emitted of what did not happen. */
export const METRIC = {
  /** Deliveries handled, whatever became of them. */
  deliveries: 'Deliveries',
  accepted: 'Accepted',
  resumed: 'Resumed',
  /**
   * From the rule's time to the end of the write that found a message booked by this delivery; one
   * value for each of them, so that percentiles can be shown.
   */
  bookingLag: 'BookingLag',
  /** Copies: of other deliveries, and those folded inside a batch. */
  duplicate: 'Duplicate',
  conflict: 'Conflict',
  /** Quarantined before the write, whatever the reason. */
  rejected: 'Rejected',
  /** Those of them whose client is not the device in the topic (I6). */
  wrongDevice: 'WrongDevice',
  /** Those of them that came too late to be told from a copy, or whose time lies too far ahead. */
  late: 'Late',
  early: 'Early',
  /** Those of them that the table refused for good: the device is told that it is final. */
  refusedByStore: 'RefusedByStore',
  unforwardable: 'Unforwardable',
  /** Older than the value that is known (`latest`). */
  stale: 'Stale',
  /** Forwarded without a verdict, while the table did not answer (`onStoreDown: 'forward'`). */
  unverified: 'Unverified',
  /** Reported as failed, so that they are tried again. */
  failed: 'Failed',
  forwarded: 'Forwarded',
  /** Publications of receipts that went out, and those that did not. */
  receipts: 'Receipts',
  receiptsLost: 'ReceiptsLost',
  /** Rows that a device's release marked. */
  released: 'Released',
  /** Answers `completed` to ids given up, whether or not there was a row. */
  completed: 'Completed',
  /** Messages that a device asked about on `tollbridge/{device}/query`. */
  queried: 'Queried',
  /**
   * Requests, or entries of them, that could not be read or spoke for another device. Where they
   * name no route of this bridge, their dimension `route` is `-`.
   */
  unreadable: 'Unreadable',
} as const;

export type Metric = (typeof METRIC)[keyof typeof METRIC];

/** How a metric is measured. Counts of zero are left out; a time of zero is a time. */
export function unitOf(metric: Metric): 'Count' | 'Milliseconds' {
  return metric === METRIC.bookingLag ? 'Milliseconds' : 'Count';
}
