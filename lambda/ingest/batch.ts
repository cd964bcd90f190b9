/**
 * A batch, record by record: one bad record never fails its neighbours, and what is unfinished
 * before the deadline is reported as failed, never as done.
 */

import { BATCH_WRITES_CONCURRENT_MAX } from '../../core/base/limits.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import {
  type CoalescedDelivery,
  coalesceDuplicates,
  groupByKey,
  type ReadDelivery,
} from '../../core/message/coalesce.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import { readMessage } from '../../core/message/message.ts';
import type { Rejection } from '../../core/message/reasons.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { type Receipt, receiptPayloads } from '../../core/wire/receipts.ts';
import { concurrently } from '../runtime/concurrently.ts';
import { aborted } from '../runtime/deadline.ts';
import { publishReceipts } from '../runtime/receipts.ts';
import type { IngestDeps } from './deps.ts';
import { type Answer, processMessage } from './process-message.ts';

/** A record of the batch; `ref` is unique in it. */
export interface BatchRecord {
  readonly ref: string;
  readonly delivery: Delivery;
  /** Known beforehand where the record held no delivery that could be read. */
  readonly rejection?: Rejection;
}

/** When to stop: each signal is aborted in time for what has to follow it. */
export interface Deadlines {
  /** No record is begun or waited for any more. */
  readonly messages: AbortSignal;
  /** No receipt is waited for any more. */
  readonly answer: AbortSignal;
}

/** Handles a batch and returns the refs that have to be tried again. */
export async function handleBatch(
  deps: IngestDeps,
  records: readonly BatchRecord[],
  deadlines: Deadlines,
): Promise<ReadonlySet<string>> {
  const unfinished = new Set(records.map(({ ref }) => ref));
  const { route } = deps;
  const isAlone = guaranteeOf(route).countsArrivals;
  const deliveries = records.flatMap((record) => read(deps, record));
  const folds = coalesceDuplicates(deliveries, isAlone);
  const answers = await settleAll(deps, folds, deadlines.messages, unfinished);
  await sendReceipts(deps, answers, deadlines.answer);
  deps.telemetry.count(METRIC.deliveries, records.length);
  deps.telemetry.count(METRIC.failed, unfinished.size);
  return unfinished;
}

/** Reading never throws; if it did, only this record would be tried again, not its neighbours. */
function read({ route, telemetry }: IngestDeps, record: BatchRecord): ReadDelivery[] {
  const { ref, delivery, rejection } = record;
  if (rejection !== undefined) return [{ ref, delivery, reading: { kind: 'rejected', rejection } }];
  try {
    return [{ ref, delivery, reading: readMessage(route, delivery) }];
  } catch (error) {
    telemetry.note('error', 'delivery not read', { deliveryId: delivery.deliveryId, error });
    return [];
  }
}

/** Takes refs out of `unfinished` as their messages end; stops when the deadline has passed. */
async function settleAll(
  deps: IngestDeps,
  folds: readonly CoalescedDelivery[],
  deadline: AbortSignal,
  unfinished: Set<string>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const settleOne = async (fold: CoalescedDelivery) => {
    if (deadline.aborted) return;
    try {
      const answer = await processMessage(deps, fold);
      // Past the deadline the batch has been answered: it comes again, and finds its own row.
      if (deadline.aborted) return;
      if (answer !== undefined) answers.push(answer);
      for (const ref of fold.refs) unfinished.delete(ref);
    } catch (error) {
      deps.telemetry.note('error', 'delivery failed and will be tried again', {
        deliveryId: fold.delivery.deliveryId,
        error,
      });
    }
  };
  const settleInTurn = async (turn: readonly CoalescedDelivery[]) => {
    for (const fold of turn) await settleOne(fold);
  };
  const settled = concurrently(groupByKey(folds), BATCH_WRITES_CONCURRENT_MAX, settleInTurn);
  await Promise.race([aborted(deadline), settled]);
  return answers;
}

/** One publication for each device; a failed one fails no record, for the device asks again. */
async function sendReceipts(
  deps: IngestDeps,
  answers: readonly Answer[],
  deadline: AbortSignal,
): Promise<void> {
  const { name, receipts: qos } = deps.route;
  if (qos === 'none') return;
  const publications = [...byDevice(answers)].flatMap(([device, receipts]) =>
    receiptPayloads(name, receipts).map((payload) => ({ device, payload })),
  );
  const sent = concurrently(
    publications,
    BATCH_WRITES_CONCURRENT_MAX,
    async ({ device, payload }) => {
      await publishReceipts(deps, device, payload, qos);
    },
  );
  await Promise.race([aborted(deadline), sent]);
}

function byDevice(answers: readonly Answer[]): ReadonlyMap<string, readonly Receipt[]> {
  const devices = new Map<string, Receipt[]>();
  for (const { answerTo, receipt } of answers) {
    if (answerTo === undefined) continue;
    const receipts = devices.get(answerTo);
    if (receipts === undefined) devices.set(answerTo, [receipt]);
    else receipts.push(receipt);
  }
  return devices;
}
