/**
 * One message, from the write to its effects. The order is the promise: write, then forward, then
 * receipt (I3, I4). What throws here is tried again by the queue, and finds its own row.
 */
import type { Route } from '../../core/config/route.ts';
import type { Delivery } from '../../core/envelope.ts';
import { TerminalError } from '../../core/errors.ts';
import type { Fold } from '../../core/fold.ts';
import { forwardOf } from '../../core/forward.ts';
import { ledgerWriteOf } from '../../core/ledger-row.ts';
import type { Message, MessageReading, Rejection } from '../../core/message.ts';
import { METRIC } from '../../core/metrics.ts';
import type { Ledger, Publisher, Quarantine, Telemetry } from '../../core/ports.ts';
import { type ConflictEvidence, quarantineRowOf } from '../../core/quarantine-row.ts';
import { bookedReceipt, type Receipt, rejectedReceipt } from '../../core/receipts.ts';
import { type Clock, toIso } from '../../core/time.ts';
import { type Verdict, verdictOf } from '../../core/verdict.ts';

export interface IngestDeps {
  readonly route: Route;
  readonly ledger: Ledger;
  readonly quarantine: Quarantine;
  readonly publisher: Publisher;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** What is to be told to whom; nobody, where no device is known. */
export interface Answer {
  readonly answerTo: string | undefined;
  readonly receipt: Receipt;
}

/** What is settled together: a delivery, and the copies of it that are folded into its write. */
export type Settled = Pick<Fold, 'delivery' | 'reading' | 'deliveryIds'>;

/**
 * Brings one message to its end.
 *
 * @throws when it has to be tried again
 */
export async function settle(deps: IngestDeps, fold: Settled): Promise<Answer> {
  const { delivery, reading } = fold;
  return reading.kind === 'rejected'
    ? reject(deps, delivery, reading.rejection)
    : bookOrRefuse(deps, fold, reading);
}

async function bookOrRefuse(
  deps: IngestDeps,
  { delivery, deliveryIds }: Settled,
  reading: Exclude<MessageReading, { kind: 'rejected' }>,
): Promise<Answer> {
  const { message } = reading;
  let verdict: Verdict | Rejection;
  try {
    // A copy that comes too late to be booked anew may still be the copy of a booked message.
    if (reading.kind === 'untimely' && (await deps.ledger.find(message.key)) === undefined) {
      verdict = reading.rejection;
    } else {
      const tries = deliveryIds.length;
      const write = ledgerWriteOf(deps.route, delivery, message, tries, deps.clock());
      verdict = verdictOf(await deps.ledger.book(write), write, deliveryIds);
    }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    verdict = { ...rejectionOf(message), reason: 'refused-by-store', detail: error.message };
  }
  if ('reason' in verdict) return reject(deps, delivery, verdict);
  return afterVerdict(deps, delivery, message, verdict, deliveryIds.length);
}

async function afterVerdict(
  deps: IngestDeps,
  delivery: Delivery,
  message: Message,
  verdict: Verdict,
  tries: number,
): Promise<Answer> {
  const { telemetry } = deps;
  switch (verdict.kind) {
    case 'conflict': {
      telemetry.count(METRIC.conflict, tries);
      const fields = verdict.fields;
      const differs = fields.length === 0 ? 'white space or order alone' : fields.join(', ');
      const rejection: Rejection = {
        ...rejectionOf(message),
        reason: 'conflict',
        detail: `the id is booked with another body; they differ in ${differs}`,
      };
      await quarantine(deps, delivery, rejection, {
        fields,
        bookedBody: verdict.row.body,
        bookedAt: toIso(verdict.row.bookedAtMillis),
      });
      return { answerTo: message.device, receipt: rejectedReceipt(rejection, fields) };
    }
    case 'duplicate':
      telemetry.count(METRIC.duplicate, tries);
      break;
    case 'accepted':
    case 'resumed':
      telemetry.count(verdict.kind === 'accepted' ? METRIC.accepted : METRIC.resumed, 1);
      telemetry.count(METRIC.duplicate, tries - 1);
      await forward(deps, delivery, message);
  }
  return { answerTo: message.device, receipt: bookedReceipt(message, verdict) };
}

/** Publishes the booking; one that can never go out is quarantined, and the booking stands. */
async function forward(deps: IngestDeps, delivery: Delivery, message: Message): Promise<void> {
  const { route, publisher, telemetry } = deps;
  if (route.forward === null) return;
  const reading = forwardOf(route, route.forward, delivery.topic, message);
  try {
    if (!reading.ok) throw new TerminalError(reading.detail);
    await publisher.publish(reading.publication);
    telemetry.count(METRIC.forwarded, 1);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    telemetry.count(METRIC.unforwardable, 1);
    const rejection = rejectionOf(message);
    await quarantine(deps, delivery, {
      ...rejection,
      reason: 'unforwardable',
      detail: error.message,
    });
  }
}

async function reject(deps: IngestDeps, delivery: Delivery, rejection: Rejection): Promise<Answer> {
  deps.telemetry.count(METRIC.rejected, 1);
  await quarantine(deps, delivery, rejection);
  return { answerTo: rejection.answerTo, receipt: rejectedReceipt(rejection) };
}

async function quarantine(
  deps: IngestDeps,
  delivery: Delivery,
  rejection: Rejection,
  evidence?: ConflictEvidence,
): Promise<void> {
  const row = quarantineRowOf(deps.route.name, delivery, rejection, evidence);
  await deps.quarantine.put(row);
  deps.telemetry.note('warn', 'quarantined', {
    reason: rejection.reason,
    quarantineKey: row.key,
    deliveryId: delivery.deliveryId,
  });
}

function rejectionOf(message: Message): Omit<Rejection, 'reason' | 'detail'> {
  const { bodyHash, device, id } = message;
  return { bodyHash, device, id, answerTo: device };
}
