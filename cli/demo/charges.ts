/** What the demo's devices mean to say: drawn from a seed, so that a run can be repeated. */

import { type EpochMillis, epochMillis, toIso } from '../../core/base/time.ts';
import type { Chance } from '../../local/contracts.ts';

/** One charge of one device. */
export interface Charge {
  readonly id: string;
  /** The demo's own mark in the body, apart from the id: what reconciliation goes by. */
  readonly serial: string;
  readonly amount: string;
  /** The bytes that are sent, the same at every try. */
  readonly body: string;
}

export interface DevicePlan {
  readonly device: string;
  readonly charges: readonly Charge[];
}

const HOUR_MILLIS = 3_600_000;

/** Every device counts its ids from 1: the same ids on all of them, and no two the same charge. */
export function planCharges(
  devices: number,
  messages: number,
  chance: Chance,
  now: EpochMillis,
): readonly DevicePlan[] {
  return Array.from({ length: devices }, (_, index) => {
    const device = `meter-${String(index + 1).padStart(2, '0')}`;
    const charges = Array.from({ length: messages }, (_, at) =>
      drawCharge(device, at + 1, chance, now),
    );
    return { device, charges };
  });
}

function drawCharge(device: string, number: number, chance: Chance, now: EpochMillis): Charge {
  const id = `charge-${number}`;
  const serial = `${device}/${number}`;
  const watts = 1 + chance.below(99_999);
  const amount = `${Math.floor(watts / 1000)}.${String(watts % 1000).padStart(3, '0')}`;
  const at = toIso(epochMillis(now - chance.below(HOUR_MILLIS)));
  const account = `account-${1 + chance.below(5)}`;
  // The amount is a bare JSON number: it has to survive without passing through a float.
  const body = `{"id":"${id}","account":"${account}","kWh":${amount},"at":"${at}","serial":"${serial}"}`;
  return { id, serial, amount, body };
}
