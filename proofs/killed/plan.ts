/**
 * What each device means to say, known to both sides of the test: the serials in the bodies are
 * what is compared at the end, not the ids that are under test.
 */
import { type Config, defineConfig } from '../../core/config/route.ts';
import { payload, sequence, topicLevel } from '../../core/config/sources.ts';
import type { Routes } from '../../device/publish/profile.ts';

const entry = {
  account: payload('account'),
  amount: payload('kWh'),
  unit: 'kWh',
  occurredAt: payload('at'),
} as const;

export const config: Config = defineConfig({
  routes: {
    charges: {
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      device: topicLevel(2),
      id: payload('id'),
      entry,
      forward: 'booked/{device}/charges',
    },
    counted: {
      guarantee: 'exactly-once',
      topic: 'billing/+/counted',
      device: topicLevel(2),
      id: sequence('seq', { epoch: 'boot' }),
      entry,
    },
  },
});

/** Each a way to know a message again; devices take them in turn. */
const KINDS = [
  /** The caller names the message, and says it again after a crash. */
  { route: 'charges', handshake: 'short', namesIds: true, qos: 1 },
  /** The library names it; a call whose fate is not known is not repeated. */
  { route: 'charges', handshake: 'full', namesIds: false, qos: 1 },
  { route: 'counted', handshake: 'short', namesIds: false, qos: 1 },
  { route: 'counted', handshake: 'full', namesIds: false, qos: 0 },
] as const;

export type Kind = (typeof KINDS)[number];

export function deviceName(index: number): string {
  return `meter-${String(index).padStart(3, '0')}`;
}

export function kindOf(index: number): Kind {
  return KINDS[index % KINDS.length] ?? KINDS[0];
}

export function routesOf(device: string, { handshake, qos }: Kind): Routes {
  return {
    charges: { topic: `billing/${device}/charges`, idField: 'id', handshake, qos },
    counted: {
      topic: `billing/${device}/counted`,
      epochField: 'boot',
      seqField: 'seq',
      handshake,
      qos,
    },
  };
}

/** The same at every call: a caller that repeats itself after a crash has to say the same. */
export function bodyOf(serial: string, at: string) {
  const number = Number(serial.split('/')[1]);
  return { account: `a-${number % 5}`, kWh: `${number}.${number % 7}25`, at, serial };
}

/** What a device process is told, as JSON in its arguments. */
export interface Orders {
  readonly device: string;
  readonly index: number;
  readonly url: string;
  readonly outbox: string;
  /** Serials to publish, in this order. */
  readonly serials: readonly string[];
  readonly at: string;
}

/** What a receipt promises. */
export interface Promised {
  readonly route: string;
  readonly id: string;
  readonly bookedAt: number;
}

/** What a device process says, a JSON line each, written before it goes on. */
export type Said =
  | { readonly kind: 'called'; readonly serial: string }
  | { readonly kind: 'kept'; readonly serial: string }
  /** The promise of a call has resolved. */
  | ({ readonly kind: 'booked'; readonly serial: string } & Promised)
  /** The device has heard of a booking, also of one whose caller is gone. */
  | ({ readonly kind: 'receipt' } & Promised)
  /** The bridge has confirmed a release. */
  | { readonly kind: 'completed'; readonly route: string; readonly id: string }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'drained' };
