/** A charge of any size, on the route that a bridge has as delivered: what costs are computed of. */

import { BODY_BYTES_MAX } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import { type Bridge, defineConfig, type ExactlyOnceRoute } from '../../core/config/route.ts';
import { payload, topicLevel } from '../../core/config/sources.ts';

/** 2026-11-20T09:00:51.000Z, when the sample arrives. */
export const SAMPLE_NOW = epochMillis(1_795_165_251_000);

export const SAMPLE_BRIDGE: Bridge = checkConfig(
  defineConfig({
    routes: {
      charges: {
        guarantee: 'exactly-once',
        topic: 'billing/+/charges',
        device: topicLevel(2),
        id: payload('id'),
        entry: {
          account: payload('account'),
          amount: payload('kWh'),
          unit: 'kWh',
          occurredAt: payload('at'),
        },
        forward: 'booked/{device}/charges',
      },
    },
  }),
);

export const SAMPLE_ROUTE: ExactlyOnceRoute = ledgerRouteOf(SAMPLE_BRIDGE);

function ledgerRouteOf({ routes: [route] }: Bridge): ExactlyOnceRoute {
  if (route?.guarantee !== 'exactly-once') throw new Error('the sample is a route with a ledger');
  return route;
}

export function sampleDevice(n = 0): string {
  return `meter-${String(n).padStart(6, '0')}`;
}

export function sampleTopic(device: string): string {
  return `billing/${device}/charges`;
}

/** As long as a random UUID, and another for each number. */
export function sampleId(n: number): string {
  return `8c4f1f6e-52a1-4d0b-9d3e-${n.toString(16).padStart(12, '0')}`;
}

/** As long as the thumbprint of a certificate, which is what `principal()` gives. */
export const SAMPLE_PRINCIPAL = 'c0ffee51'.repeat(8);

export interface SampleCharge {
  readonly id: string;
  /** A decimal. */
  readonly amount?: string;
  /** Of the whole body, in JSON. */
  readonly bytes: number;
}

function charge({ id, amount = '12.480' }: Omit<SampleCharge, 'bytes'>): string {
  return JSON.stringify({
    id,
    account: 'customer-000815',
    kWh: amount,
    at: '2026-11-20T08:59:00.000Z',
  });
}

/** The body with nothing in it that a ledger does not need. */
export const SAMPLE_BODY_BYTES_MIN = charge({ id: sampleId(0) }).length + ',"note":""'.length;
export const SAMPLE_BODY_BYTES_MAX = BODY_BYTES_MAX;

/** A charge filled up with a note to the bytes that are asked for. */
export function sampleBody({ bytes, ...rest }: SampleCharge): string {
  const body = charge(rest);
  const note = bytes - body.length - ',"note":""'.length;
  if (note < 0) {
    throw new RangeError(
      `a body of ${bytes} bytes is asked for; ${SAMPLE_BODY_BYTES_MIN} is the least that holds a charge`,
    );
  }
  return `${body.slice(0, -1)},"note":"${'n'.repeat(note)}"}`;
}
