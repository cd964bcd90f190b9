/**
 * One message, from the write to its effects. The order is the promise: write, then forward, then
 * receipt (I3, I4). What throws here is tried again by the queue, and finds its own row.
 */

import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import { toIso } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import {
  type Decision,
  type ParsedDelivery,
  rejectionOf,
  type ValidDelivery,
} from '../../core/guarantees/deduplicator.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import type { Booking, Verdict } from '../../core/guarantees/verdict.ts';
import type { Reason, Rejection } from '../../core/message/reasons.ts';
import { COPY_NOTE, type CopyNote } from '../../core/operations/copy-note.ts';
import { METRIC, type Metric } from '../../core/operations/metrics.ts';
import { bookedReceipt, type Receipt, rejectedReceipt } from '../../core/wire/receipts.ts';
import type { IngestDeps } from './deps.ts';
import { forwardMessage, forwardUnread } from './forwarding.ts';
import { quarantine } from './quarantine.ts';

/** What is to be told to whom; nobody, where no device is known. */
export interface Answer {
  readonly answerTo: string | undefined;
  readonly receipt: Receipt;
}

/**
 * Brings one message to its end. No answer means that nothing can be said truly (I3).
 *
 * @throws when it has to be tried again
 */
export async function processMessage(
  deps: IngestDeps,
  fold: ParsedDelivery,
): Promise<Answer | undefined> {
  const { reading } = fold;
  if (reading.kind === 'rejected') return reject(deps, fold, reading.rejection);
  const { delivery, deliveryIds } = fold;
  const valid: ValidDelivery = { delivery, deliveryIds, reading };
  let decision: Decision;
  try {
    decision = await deps.deduplicator.apply(valid);
  } catch (error) {
    if (error instanceof TerminalError) {
      const refused = { ...rejectionOf(reading.message), detail: error.message };
      return reject(deps, fold, { ...refused, reason: 'refused-by-store' });
    }
    if (!failsOpen(deps.route) || !(error instanceof RetryableError)) throw error;
    return forwardUnverified(deps, valid, error);
  }
  return decision.kind === 'rejected'
    ? reject(deps, fold, decision.rejection)
    : afterVerdict(deps, valid, decision);
}

/** A route that forwards nothing has nowhere to fail to: its messages would be gone (I2). */
function failsOpen(route: Route): boolean {
  return (
    route.guarantee === 'deduplicated' && route.onStoreDown === 'forward' && route.forward !== null
  );
}

function isShadow(route: Route): boolean {
  return route.guarantee === 'deduplicated' && route.mode === 'shadow';
}

/** Nobody knows whether it is a copy: it is passed on and marked so, and the device hears nothing. */
async function forwardUnverified(
  deps: IngestDeps,
  fold: ValidDelivery,
  error: RetryableError,
): Promise<undefined> {
  deps.telemetry.count(METRIC.unverified, fold.deliveryIds.length);
  deps.telemetry.note('warn', 'forwarded unverified, for the table does not answer', {
    deliveryId: fold.delivery.deliveryId,
    error,
  });
  await forwardMessage(deps, fold, { owner: fold.delivery.deliveryId, mark: 'unverified' });
  return undefined;
}

async function afterVerdict(
  deps: IngestDeps,
  fold: ValidDelivery,
  verdict: Verdict,
): Promise<Answer> {
  const { message } = fold.reading;
  const tries = fold.deliveryIds.length;
  switch (verdict.kind) {
    case 'conflict':
      return afterConflict(deps, fold, verdict);
    case 'stale': {
      deps.telemetry.count(METRIC.stale, tries);
      const detail = `a value of ${toIso(verdict.newest)} is known`;
      const rejection: Rejection = { ...rejectionOf(message), reason: 'stale', detail };
      return { answerTo: message.device, receipt: rejectedReceipt(rejection) };
    }
    case 'duplicate':
      deps.telemetry.count(METRIC.duplicate, tries);
      noteCopies(deps, fold, verdict);
      await forwardCopy(deps, fold, verdict);
      break;
    case 'accepted':
    case 'resumed':
      deps.telemetry.count(verdict.kind === 'accepted' ? METRIC.accepted : METRIC.resumed, 1);
      deps.telemetry.count(METRIC.duplicate, tries - 1);
      noteCopies(deps, fold, verdict);
      // The rule's clock and the function's are two: one ahead of the other is no time travel.
      deps.telemetry.count(METRIC.bookingLag, Math.max(0, deps.clock() - fold.delivery.receivedAt));
      await forwardMessage(deps, fold, { owner: verdict.firstDeliveryId });
  }
  return { answerTo: message.device, receipt: bookedReceipt(message, verdict) };
}

/** One line for each delivery that did not book the message: no metric can tell devices apart. */
function noteCopies(deps: IngestDeps, fold: ValidDelivery, { firstDeliveryId }: Booking): void {
  const { device, key } = fold.reading.message;
  for (const deliveryId of fold.deliveryIds) {
    if (deliveryId === firstDeliveryId) continue;
    const note: CopyNote = { device, id: key.id, deliveryId };
    deps.telemetry.note('info', COPY_NOTE, { ...note });
  }
}

/** A copy is dropped, or passed on with its mark, or passed on as if nobody had looked. */
async function forwardCopy(
  deps: IngestDeps,
  fold: ValidDelivery,
  { firstDeliveryId }: Booking,
): Promise<void> {
  const { route } = deps;
  if (route.guarantee !== 'deduplicated') return;
  switch (route.mode) {
    case 'enforce':
      return;
    case 'mark':
      return forwardMessage(deps, fold, { owner: firstDeliveryId, mark: 'duplicate' });
    case 'shadow':
      return forwardMessage(deps, fold, { owner: fold.delivery.deliveryId });
  }
}

async function afterConflict(
  deps: IngestDeps,
  fold: ValidDelivery,
  { row, fields }: Extract<Verdict, { kind: 'conflict' }>,
): Promise<Answer> {
  const { message } = fold.reading;
  deps.telemetry.count(METRIC.conflict, fold.deliveryIds.length);
  const differs = fields.length === 0 ? 'what no field shows' : fields.join(', ');
  const rejection: Rejection = {
    ...rejectionOf(message),
    reason: 'conflict',
    detail: `${taken(deps.route)} with another body; they differ in ${differs}`,
  };
  await quarantine(deps, fold, rejection, {
    fields,
    bookedBody: row.body,
    bookedAt: toIso(row.bookedAtMillis),
  });
  if (isShadow(deps.route)) await forwardMessage(deps, fold, { owner: fold.delivery.deliveryId });
  return { answerTo: message.device, receipt: rejectedReceipt(rejection, fields) };
}

/** Reasons that somebody has to hear of by themselves, and not only as a share of all. */
const REASON_METRIC: Readonly<Partial<Record<Reason, Metric>>> = {
  'wrong-device': METRIC.wrongDevice,
  late: METRIC.late,
  early: METRIC.early,
  'refused-by-store': METRIC.refusedByStore,
};

async function reject(
  deps: IngestDeps,
  fold: ParsedDelivery,
  rejection: Rejection,
): Promise<Answer> {
  deps.telemetry.count(METRIC.rejected, fold.deliveryIds.length);
  const metric = REASON_METRIC[rejection.reason];
  if (metric !== undefined) deps.telemetry.count(metric, fold.deliveryIds.length);
  await quarantine(deps, fold, rejection);
  if (isShadow(deps.route)) await forwardRejected(deps, fold, rejection);
  return { answerTo: rejection.answerTo, receipt: rejectedReceipt(rejection) };
}

function taken(route: Route): string {
  return guaranteeOf(route).hasIds ? 'the id is booked' : 'this version is known';
}

/** A shadow route drops nothing: what was refused goes out as well, as far as it could be read. */
async function forwardRejected(
  deps: IngestDeps,
  fold: ParsedDelivery,
  rejection: Rejection,
): Promise<void> {
  const { reading, delivery } = fold;
  if (reading.kind === 'rejected') return forwardUnread(deps, fold, rejection);
  await forwardMessage(deps, { ...fold, reading }, { owner: delivery.deliveryId });
}
