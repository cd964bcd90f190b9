/** When every schedule begins: 2026-11-20T09:00:00Z, in epoch milliseconds. */
export const START_MILLIS = 1_795_165_200_000;
