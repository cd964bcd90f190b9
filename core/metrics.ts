/** Names of metrics, shared by the function that emits them and the template that shows them. */
export const METRICS_NAMESPACE = 'Tollbridge';

/** Counts per batch, with the dimension `route`. */
export const METRIC = {
  /** Deliveries handled, whatever became of them. */
  deliveries: 'Deliveries',
  accepted: 'Accepted',
  resumed: 'Resumed',
  /** Copies: of other deliveries, and those folded inside a batch. */
  duplicate: 'Duplicate',
  conflict: 'Conflict',
  /** Quarantined before the write, whatever the reason. */
  rejected: 'Rejected',
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
} as const;

export type Metric = (typeof METRIC)[keyof typeof METRIC];
