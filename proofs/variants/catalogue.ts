/** Every broken variant. */
import { booking } from './catalogue/booking.ts';
import { device } from './catalogue/device.ts';
import { effects } from './catalogue/effects.ts';
import { identity } from './catalogue/identity.ts';
import { windows } from './catalogue/windows.ts';
import type { Variant } from './variant.ts';

export const variants: readonly Variant[] = [
  ...booking,
  ...effects,
  ...identity,
  ...windows,
  ...device,
];
