/** Histories as the checker's tests tell them: true ones, to put a lie into. */

import { START_MILLIS } from '../start.ts';
import { check } from './check.ts';
import type { Event, Meant, Past } from './history.ts';

export function meant(serial: number, changes: Partial<Meant> = {}): Event {
  const usual = { route: 'charges', by: 'raw-1', as: 'raw-1', name: `"k${serial}"` } as const;
  return {
    kind: 'meant',
    serial,
    ...usual,
    form: 'good',
    ownTime: START_MILLIS,
    ...BILLED,
    ...changes,
  };
}

/** As the body has it; a row has the same number in another notation. */
const BILLED = { amount: '2.50' };

export function row(serial: number, changes: Partial<Extract<Event, { kind: 'row' }>> = {}): Event {
  const usual = { table: 'ledger', entry: `e${serial}`, change: 'made', device: 'raw-1' } as const;
  const billed = { amount: '2.5', occurredAt: START_MILLIS };
  return { kind: 'row', serial, ...usual, invocation: serial, changed: [], ...billed, ...changes };
}

/** A delivery on its way through the cloud, with what became of it in between. */
export function handled(
  serial: number,
  effects: readonly Event[],
  { arrival = serial, invocation = serial, at = 0 } = {},
): readonly Event[] {
  const receivedAt = START_MILLIS + at;
  return [
    { kind: 'entered', arrival, serial, path: 'queue' },
    { kind: 'handled', arrival, serial, invocation, receivedAt },
    ...effects,
    { kind: 'done', arrival, serial, invocation },
  ];
}

export function receipt(
  serial: number,
  changes: Partial<Extract<Event, { kind: 'receipt' }>> = {},
): Event {
  const usual = { device: 'raw-1', outcome: 'accepted', reason: undefined, fields: [] } as const;
  return { kind: 'receipt', serial, invocation: serial, ...usual, ...changes };
}

export function forwarded(serial: number, invocation = serial): readonly Event[] {
  return [
    { kind: 'forwarded', serial, invocation, mark: undefined },
    { kind: 'effect', serial },
  ];
}

export function booked(serial: number, changes: Partial<Extract<Event, { kind: 'row' }>> = {}) {
  return handled(serial, [row(serial, changes), ...forwarded(serial), receipt(serial)]);
}

export function quarantined(
  serial: number,
  reason: string,
  changes: Partial<Extract<Event, { kind: 'quarantined' }>> = {},
): Event {
  return {
    ...{ kind: 'quarantined', serial, reason, fields: [], booked: undefined },
    ...{ invocation: serial, ...changes },
  };
}

/** What the checker says of it: an invariant and a sentence, or nothing. */
export function said(
  events: readonly Event[],
  receiver: 'effect-first' | 'with-effect' = 'with-effect',
): string | undefined {
  const past: Past[] = events.map((event, at) => ({ ...event, at }));
  const finding = check(past, receiver);
  return finding && `${finding.invariant} ${finding.what}`;
}
