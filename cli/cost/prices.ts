/**
 * The price list: us-east-1, US dollars, without free tiers, discounts and taxes. AWS's own price
 * pages were found stored without their figures; these are dated copies by others, which agree with
 * one another. `docs/scale.md` says the same to readers.
 */
import Big from 'big.js';

export const REGION = 'us-east-1';

export interface Price {
  /** What one unit is, as it stands in a bill. */
  readonly unit: string;
  /** So many units cost `usd`. */
  readonly per: number;
  /** A decimal. Of quantities up to the first step; see `steps`. */
  readonly usd: string;
  /** Lower prices for the units beyond a quantity in a month. */
  readonly steps?: readonly { readonly beyond: number; readonly usd: string }[];
  /** Who says so, and when. */
  readonly source: string;
}

const MILLION = 1_000_000;

export const PRICES = {
  message: {
    unit: '5 KB messages',
    per: MILLION,
    usd: '1.00',
    // Not confirmed by a second copy.
    steps: [
      { beyond: 1_000_000_000, usd: '0.80' },
      { beyond: 5_000_000_000, usd: '0.70' },
    ],
    source: 'project README, "pricing as of January 16, 2025"; project documents, 2026',
  },
  connection: {
    unit: 'minutes',
    per: MILLION,
    usd: '0.08',
    source: 'project README, "pricing as of January 16, 2025"; project documents, 2026',
  },
  rule: {
    unit: '5 KB rules triggered',
    per: MILLION,
    usd: '0.15',
    source: 'project documents, 2026; project page that quotes the metering, May 2022',
  },
  action: {
    unit: '5 KB actions',
    per: MILLION,
    usd: '0.15',
    source: 'project documents, 2026; project page that quotes the metering, May 2022',
  },
  queueRequest: {
    unit: '64 KB requests',
    per: MILLION,
    usd: '0.40',
    source: 'table of public unit prices, 2026',
  },
  invocation: {
    unit: 'requests',
    per: MILLION,
    usd: '0.20',
    source: 'Lambda cost notes with x86 and arm64 side by side',
  },
  gigabyteSecond: {
    unit: 'GB-seconds, arm64',
    per: 1,
    usd: '0.0000133334',
    source: 'Lambda cost notes with x86 and arm64 side by side; table of unit prices, 2026',
  },
  writeUnit: {
    unit: 'write units',
    per: MILLION,
    usd: '0.625',
    source: 'table of public unit prices, 2026, and five that agree with it',
  },
  readUnit: {
    unit: 'read units',
    per: MILLION,
    usd: '0.125',
    source: 'table of public unit prices, 2026, and five that agree with it',
  },
  storage: {
    unit: 'GB-months',
    per: 1,
    usd: '0.25',
    source: 'table of public unit prices, 2026',
  },
  recovery: {
    unit: 'GB-months',
    per: 1,
    usd: '0.20',
    source: 'cost table of others, with point-in-time recovery',
  },
  logs: {
    unit: 'GB',
    per: 1,
    usd: '0.50',
    source: 'copy of the AWS price list, retrieved October 28, 2025; article of June 13, 2026',
  },
  logStorage: {
    unit: 'GB-months',
    per: 1,
    usd: '0.03',
    source: 'price constants of a cost calculator, no date',
  },
  metric: {
    unit: 'metrics',
    per: 1,
    usd: '0.30',
    source: 'article of February 15, 2026',
  },
  alarm: {
    unit: 'alarms',
    per: 1,
    usd: '0.10',
    source: 'cost estimation reference, no date',
  },
  dashboard: {
    unit: 'dashboards',
    per: 1,
    usd: '3.00',
    source: 'article of June 13, 2026',
  },
  key: {
    unit: 'keys',
    per: 1,
    usd: '1.00',
    source: 'general knowledge, no copy found',
  },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** US dollars for a quantity in one month. */
export function costOf(name: PriceName, quantity: Big): Big {
  const price: Price = PRICES[name];
  const bounds = [{ beyond: 0, usd: price.usd }, ...(price.steps ?? [])];
  return bounds
    .map(({ beyond, usd }, n) => {
      const next = bounds[n + 1]?.beyond;
      const upTo = next === undefined || quantity.lt(next) ? quantity : new Big(next);
      const within = upTo.minus(beyond);
      return within.lte(0) ? new Big(0) : within.times(usd).div(price.per);
    })
    .reduce((sum, each) => sum.plus(each), new Big(0));
}
