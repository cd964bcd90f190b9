/**
 * What the devices meant and what came of it, by the serials inside the bodies: the ids under which
 * the ledger keeps them are what is on trial.
 */
import { randomUUID } from 'node:crypto';
import type { Row, TestCloud } from '../../tools/clouds/cloud.ts';
import { hashOf, type Message } from './clients/unreceipted.ts';

export interface DeviceMessages {
  readonly device: string;
  readonly messages: readonly Message[];
}

/** What a client was told, as it was told. */
export interface Heard {
  /** Publications of receipts. */
  readonly receipts: readonly string[];
  /** Forwards, where the client listens to them. */
  readonly forwards?: readonly string[];
}

export interface Tally {
  readonly meant: number;
  /** Arrivals at the rule. */
  readonly deliveries: number;
  readonly booked: number;
  /** Serials that were meant and are not in the ledger. */
  readonly lost: number;
  /** Rows beyond the first of a serial, or of a serial that nobody meant. */
  readonly doubled: number;
  readonly conflicts: number;
  /** Messages of which the client was told, truly, that this very body is booked. */
  readonly receipts: number;
  /** Receipts that say `accepted` or `duplicate` of a body that is not booked. */
  readonly untrue: number;
  /** Serials in forwards that came, each counted once. */
  readonly forwarded: number;
}

/** Messages of one device; their ids say nothing of their serials. */
export function messagesOf(device: string, count: number): DeviceMessages {
  const messages = Array.from({ length: count }, (_, serial) => ({
    topic: `billing/${device}/charges`,
    body: JSON.stringify({
      id: randomUUID(),
      serial: `${device}/${serial}`,
      account: 'acme',
      kWh: `1.${serial}`,
      at: new Date().toISOString(),
    }),
  }));
  return { device, messages };
}

const serialOf = (body: string): string => String(JSON.parse(body).serial);

export async function reconcile(
  bridge: TestCloud,
  devices: readonly DeviceMessages[],
  heard: readonly Heard[],
): Promise<Tally> {
  await bridge.cloud.idle();
  const names = new Set(devices.map(({ device }) => device));
  const isOurs = (row: Row) => names.has(row.device?.S ?? '');
  const rows = (await bridge.rows('Ledger')).filter(isOurs);
  const quarantined = (await bridge.rows('Quarantine')).filter(isOurs);
  const meant = new Set(
    devices.flatMap(({ messages }) => messages.map(({ body }) => serialOf(body))),
  );
  const serials = rows.map((row) => serialOf(row.body?.S ?? '{}'));
  const booked = new Set(serials.filter((serial) => meant.has(serial)));
  const deliveries = bridge.events.filter(
    (event) => event.kind === 'delivery' && names.has(event.topic.split('/')[1] ?? ''),
  );
  const bookedHashes = new Set(
    rows.map((row) => hashOf({ topic: row.topic?.S ?? '', body: row.body?.S ?? '' })),
  );
  const told = new Set(heard.flatMap(({ receipts }) => receipts.flatMap(bookedIn)));
  const forwards = heard.flatMap(({ forwards: some = [] }) => some);
  return {
    meant: meant.size,
    deliveries: deliveries.length,
    booked: booked.size,
    lost: meant.size - booked.size,
    doubled: serials.length - booked.size,
    conflicts: quarantined.length,
    receipts: [...told].filter((hash) => bookedHashes.has(hash)).length,
    untrue: [...told].filter((hash) => !bookedHashes.has(hash)).length,
    forwarded: new Set(forwards.map((text) => JSON.parse(text).body.serial)).size,
  };
}

/** Hashes of the bodies that a publication of receipts says are booked. */
function bookedIn(payload: string): readonly string[] {
  const { receipts } = JSON.parse(payload) as {
    readonly receipts: readonly { readonly outcome: string; readonly bodyHash: string }[];
  };
  return receipts
    .filter(({ outcome }) => outcome === 'accepted' || outcome === 'duplicate')
    .map(({ bodyHash }) => bodyHash);
}
