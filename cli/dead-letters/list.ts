/** `tollbridge dead-letters list`: what failed for good, by route, and a look at some of it. */

import { jsonOrUndefined } from '../../core/base/json.ts';
import { type EpochMillis, epochMillis, toIso } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { RECEIVED_AT_ATTRIBUTE, readEnvelope } from '../../core/message/envelope.ts';
import { encodeId } from '../../core/message/id.ts';
import { readMessage } from '../../core/message/message.ts';
import type { BridgeClient } from '../access/access.ts';
import type { Column, Output } from '../output/output.ts';
import { type Depth, depthOf, peek, type QueuedMessage, sqsOf } from './queues.ts';

/** What one route has. */
export interface RouteDeadLetters extends Depth {
  readonly route: string;
  /** ISO 8601: the first arrival of the oldest letter that was looked at. */
  readonly oldest: string | null;
  readonly samples: readonly Sample[];
}

/** One letter, as its route reads it. */
interface Sample {
  readonly route: string;
  /** ISO 8601. */
  readonly firstArrivedAt: string;
  /** By which path it came here. */
  readonly path: 'queue' | 'function';
  readonly device: string | null;
  readonly id: string | null;
  /** What would become of it now. */
  readonly readsAs: string;
  /** The function's last error; a queue keeps none. */
  readonly error: string | null;
  readonly receives: number;
}

/** @param samples how many letters of each route to look at; each look is a receive to SQS */
export async function deadLettersOf(
  access: BridgeClient,
  routes: readonly Route[],
  samples: number,
): Promise<readonly RouteDeadLetters[]> {
  const sqs = sqsOf(access);
  const found: RouteDeadLetters[] = [];
  for (const route of routes) {
    const url = access.routeOutput(route, 'DeadLettersUrl');
    const depth = await depthOf(sqs, url);
    const deadLetters = samples === 0 || depth.visible === 0 ? [] : await peek(sqs, url, samples);
    const read = deadLetters.map((deadLetter) => sampleOf(route, deadLetter));
    const arrivals = read.map(({ firstArrivedAt }) => firstArrivedAt).sort();
    found.push({ route: route.name, ...depth, oldest: arrivals[0] ?? null, samples: read });
  }
  return found;
}

export async function printDeadLetters(
  output: Output,
  found: readonly RouteDeadLetters[],
): Promise<void> {
  await output.list({ columns: COLUMNS, rows: found, json: (route) => route });
  const samples = found.flatMap((route) => route.samples);
  if (output.format !== 'table' || samples.length === 0) return;
  await output.list({ columns: SAMPLE_COLUMNS, rows: samples, json: (sample) => sample });
  await output.printNote(
    'oldest is that of the letters looked at; each look counts as a receive to SQS',
  );
}

const COLUMNS: readonly Column<RouteDeadLetters>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'waiting', text: ({ visible }) => String(visible), align: 'right' },
  { name: 'in flight', text: ({ inFlight }) => String(inFlight), align: 'right' },
  { name: 'oldest', text: ({ oldest }) => oldest ?? '' },
];

const SAMPLE_COLUMNS: readonly Column<Sample>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'first arrived', text: ({ firstArrivedAt }) => firstArrivedAt },
  { name: 'path', text: ({ path }) => path },
  { name: 'device', text: ({ device }) => device ?? '' },
  { name: 'id', text: ({ id }) => id ?? '' },
  { name: 'reads as', text: ({ readsAs }) => readsAs },
  { name: 'error', text: ({ error }) => error ?? '' },
];

function sampleOf(route: Route, deadLetter: QueuedMessage): Sample {
  const { attributes, source, receives, sentAt } = deadLetter;
  const arrivedAt = arrivalOf(deadLetter);
  const reading = readEnvelope(jsonOrUndefined(deadLetter.body), arrivedAt, deadLetter.messageId);
  const error = attributes.ErrorMessage?.StringValue ?? null;
  const path = source === undefined ? 'function' : 'queue';
  const known = { route: route.name, path, error, receives } as const;
  if (!reading.ok) {
    const readsAs = `quarantine: unreadable-envelope (${reading.detail})`;
    return { ...known, firstArrivedAt: iso(sentAt), device: null, id: null, readsAs };
  }
  const { delivery } = reading;
  const firstArrivedAt = iso(delivery.receivedAt);
  const message = readMessage(route, delivery);
  const { device = null, id } = message.kind === 'message' ? message.message : message.rejection;
  return {
    ...known,
    firstArrivedAt,
    device,
    id: id === undefined ? null : encodeId(id),
    readsAs: message.kind === 'message' ? 'a message' : `quarantine: ${message.rejection.reason}`,
  };
}

function arrivalOf({ attributes, sentAt }: QueuedMessage): EpochMillis {
  const kept = Number(attributes[RECEIVED_AT_ATTRIBUTE]?.StringValue);
  return Number.isSafeInteger(kept) && kept > 0 ? epochMillis(kept) : sentAt;
}

function iso(time: EpochMillis): string {
  return Number.isFinite(time) ? toIso(time) : '';
}
