/** What a person may change: faults, and the fleet. Everything is checked before anything changes. */
import { type Faults, noFaults } from '../contracts.ts';
import {
  FLEET_CUTS_MAX,
  FLEET_DEVICES_MAX,
  FLEET_RATE_MAX,
  type FleetPlan,
} from '../fleet/fleet.ts';

const DELAY_MILLIS_MAX = 60_000;

/** A wish that cannot be met, with what was got and what is allowed. */
export class WishError extends Error {
  override readonly name = 'WishError';
}

export type FleetWish =
  | { readonly action: 'start'; readonly plan: FleetPlan }
  | { readonly action: 'stop' }
  | { readonly action: 'cut'; readonly cuts: number }
  | { readonly action: 'use-an-id-twice' };

/** @throws WishError */
export function readFaults(value: unknown): Partial<Faults> {
  const wish = objectOf(value);
  const names = Object.keys(wish);
  if (names.length === 0) throw new WishError('No fault is named.');
  const unknown = names.filter((name) => !Object.hasOwn(noFaults, name));
  if (unknown.length > 0) {
    throw new WishError(`There are these faults: ${Object.keys(noFaults).join(', ')}.`);
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === 'delayMillis'
        ? wholeNumber(wish[name], name, 0, DELAY_MILLIS_MAX)
        : chance(wish[name], name, 1),
    ]),
  );
}

/** @throws WishError */
export function readFleetWish(value: unknown): FleetWish {
  const { action, devices, perSecond, cuts } = objectOf(value);
  switch (action) {
    case 'start':
      return {
        action,
        plan: {
          devices: wholeNumber(devices, 'devices', 1, FLEET_DEVICES_MAX),
          perSecond: wholeNumber(perSecond, 'perSecond', 1, FLEET_RATE_MAX),
          cuts: chance(cuts, 'cuts', FLEET_CUTS_MAX),
        },
      };
    case 'cut':
      return { action, cuts: chance(cuts, 'cuts', FLEET_CUTS_MAX) };
    case 'stop':
    case 'use-an-id-twice':
      return { action };
  }
  throw new WishError('action must be one of: start, stop, cut, use-an-id-twice.');
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WishError('The body must be a JSON object.');
  }
  return value as Readonly<Record<string, unknown>>;
}

function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new WishError(`${name} must be a whole number from ${min} to ${max}.`);
}

function chance(value: unknown, name: string, max: number): number {
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw new WishError(`${name} must be a number from 0 (never) to ${max}.`);
}
