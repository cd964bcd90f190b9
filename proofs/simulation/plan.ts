/**
 * A schedule: what is done, what strikes and how the clocks stand, as plain data. It is drawn by
 * fast-check, so that one that fails can be made shorter.
 */
import fc from 'fast-check';
import { SELDOM, STRIKING, type Strike } from './faults.ts';
import { LIBRARY_ROUTES, ROUTE_NAMES, type RouteName } from './routes.ts';

/** Devices by name: the first two run the device library, the others are raw clients. */
export const LIBRARY_DEVICES = ['lib-1', 'lib-2'] as const;
export const RAW_DEVICES = ['raw-1', 'raw-2'] as const;

/** How long before a step: moments, so that steps meet, and days, so that records are forgotten. */
const WAITS_MILLIS = [
  0,
  20,
  1_000,
  20_000,
  179_000,
  290_000,
  480_000,
  620_000,
  3_600_000,
  7 * 3_600_000,
  86_400_000,
  4 * 86_400_000,
  13 * 86_400_000,
  21 * 86_400_000,
] as const;

export type Step = { readonly wait: number } & (
  | {
      readonly do: 'publish';
      readonly device: number;
      /** Which of the schedule's routes, counted round. */
      readonly route: number;
      /** One of a few ids that others use as well; undefined for a new one. */
      readonly id: number | undefined;
      /** Another body under the same id follows so soon, about when the first is answered. */
      readonly againMillis: number | undefined;
    }
  | {
      readonly do: 'send';
      readonly device: number;
      readonly route: number;
      readonly id: number;
      readonly form: 'good' | 'no-id' | 'broken-body' | 'foreign-topic';
    }
  /** Sends an earlier message of a raw device again, so many times and so far apart. */
  | {
      readonly do: 'copy';
      readonly which: number;
      readonly times: number;
      readonly apartMillis: number;
    }
  | { readonly do: 'reboot'; readonly device: number; readonly isWiped: boolean }
  | { readonly do: 'cut'; readonly device: number; readonly minutes: number }
  | {
      readonly do: 'release';
      readonly device: number;
      readonly id: number;
      /** In the name of the other raw device. */
      readonly isForeign: boolean;
    }
  | { readonly do: 'query'; readonly which: number; readonly isForeign: boolean }
  | { readonly do: 'store-down'; readonly hours: number }
  | { readonly do: 'receiver-reboot' }
);

export interface Plan {
  /** The routes that messages go by: few, so that messages meet, and others in other schedules. */
  readonly routes: readonly RouteName[];
  /** How many of the ids are used. */
  readonly ids: number;
  readonly steps: readonly Step[];
  readonly strikes: readonly Strike[];
  /** How a device's clock stands, in hours, by its place among all devices. */
  readonly clocks: readonly number[];
  readonly sweep: 'promptly' | 'late' | 'never';
  readonly receivesMax: number;
  /** Whether the receiver keeps its mark after the effect, or in one transaction with it. */
  readonly receiver: 'effect-first' | 'with-effect';
  readonly queryBeforeResend: boolean;
  /** How long the queue may gather a batch. */
  readonly gatherMillis: number;
  /** The seed of delays and ties: all the chance that the data does not hold. */
  readonly jitter: number;
}

const IDS = 5;
/** At once, so that they meet in a batch, and nearly a short window apart, so that each pushes it out. */
const APART_MILLIS = [0, 30, 290_000, 550_000] as const;

const wait = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(0, 4)) },
  { weight: 3, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(4, 8)) },
  { weight: 1, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(8)) },
);
/** Copies come after hours and weeks as well: when records are forgotten. */
const copyWait = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(0, 4)) },
  { weight: 3, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(4, 8)) },
  { weight: 2, arbitrary: fc.constantFrom(...WAITS_MILLIS.slice(8)) },
  { weight: 1, arbitrary: fc.constant(21 * 86_400_000) },
);
const device = fc.nat({ max: 1 });
const id = fc.nat({ max: IDS - 1 });
const route = fc.nat({ max: ROUTE_NAMES.length - 1 });

const isForeign = fc.nat({ max: 3 }).map((n) => n === 3);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: fc.constant('publish' as const), wait, device, route },
      id: fc.option(id, { nil: undefined, freq: 3 }),
      againMillis: fc.option(fc.constantFrom(700, 15_000, 31_000), { nil: undefined, freq: 1 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: fc.constant('send' as const), wait, device, route, id },
      form: fc.oneof(
        { weight: 8, arbitrary: fc.constant('good' as const) },
        { weight: 1, arbitrary: fc.constantFrom('no-id', 'broken-body', 'foreign-topic') },
      ) as fc.Arbitrary<'good' | 'no-id' | 'broken-body' | 'foreign-topic'>,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ do: fc.constant('copy' as const), wait: copyWait },
      which: fc.nat({ max: 5 }),
      times: fc.oneof(
        { weight: 2, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: 2, max: 4 }) },
      ),
      apartMillis: fc.constantFrom(...APART_MILLIS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('reboot' as const),
      wait,
      device,
      isWiped: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('cut' as const), wait, device },
      minutes: fc.nat({ max: 60 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('release' as const), wait, device, id, isForeign }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant('query' as const), wait, isForeign },
      which: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('store-down' as const), wait },
      hours: fc.integer({ min: 1, max: 7 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('receiver-reboot' as const), wait }) },
);

const size = fc.nat({ max: 99 });
const strike: fc.Arbitrary<Strike> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ fault: fc.constantFrom(...STRIKING), nth: fc.nat({ max: 7 }), size }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      fault: fc.constantFrom(...SELDOM),
      nth: fc.constantFrom(0, 0, 0, 1),
      size,
    }),
  },
);

const clock = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(-2, -0.25, -0.05, 0.1, 2, 23) },
  { weight: 1, arbitrary: fc.constantFrom(-9_000, -1_000, 30, 2_000) },
);

export const plans: fc.Arbitrary<Plan> = fc.record({
  routes: fc.oneof(
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...ROUTE_NAMES)) },
    { weight: 1, arbitrary: fc.shuffledSubarray([...ROUTE_NAMES], { minLength: 2 }) },
  ),
  ids: fc.oneof(
    { weight: 1, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: IDS }) },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 14, size: 'max' }),
  strikes: fc.array(strike, { maxLength: 16, size: 'max' }),
  clocks: fc.tuple(clock, clock, clock, clock),
  sweep: fc.constantFrom('promptly', 'late', 'never'),
  receivesMax: fc.integer({ min: 2, max: 4 }),
  receiver: fc.constantFrom('with-effect', 'effect-first'),
  queryBeforeResend: fc.boolean(),
  gatherMillis: fc.constantFrom(0, 1_000, 20_000),
  jitter: fc.nat(),
});

/** The route that a step means; none where no device library sends on the schedule's routes. */
export function routeIn({ routes }: Pick<Plan, 'routes'>, step: Step): RouteName | undefined {
  if (step.do !== 'publish' && step.do !== 'send') return undefined;
  const served: readonly RouteName[] = LIBRARY_ROUTES;
  const open = step.do === 'send' ? routes : routes.filter((name) => served.includes(name));
  return open[step.route % open.length];
}
