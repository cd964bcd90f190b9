/**
 * How the AWS clients wait and try again. Both fit into the time that a batch has: a store that
 * hangs must not take the batch's other records with it. Both keep the steps that a call goes
 * through, which the SDK would put together anew for each: a tenth of what a call costs.
 */
export const STORE_CLIENT = {
  cacheMiddleware: true,
  maxAttempts: 4,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 4_000,
    throwOnRequestTimeout: true,
  },
} as const;

/** Receipts have the time that is left after the writes, and no more. */
export const DATA_PLANE_CLIENT = {
  cacheMiddleware: true,
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 1_500,
    throwOnRequestTimeout: true,
  },
} as const;
