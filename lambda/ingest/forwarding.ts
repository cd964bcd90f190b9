/** Publishes messages on the route's clean topic; one that can never go out is kept (I4). */

import { TerminalError } from '../../core/base/errors.ts';
import { readUtf8 } from '../../core/base/json.ts';
import {
  type ParsedDelivery,
  rejectionOf,
  type ValidDelivery,
} from '../../core/guarantees/deduplicator.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import type { Rejection } from '../../core/message/reasons.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { type Forward, type ForwardMark, forwardOf } from '../../core/wire/forward.ts';
import type { IngestDeps } from './deps.ts';
import { quarantine } from './quarantine.ts';

interface How {
  /** The delivery that the message is known by: the one that booked it, or this one alone. */
  readonly owner: string;
  readonly mark?: ForwardMark;
}

/** @throws RetryableError when it did not go out but may yet */
export function forwardMessage(deps: IngestDeps, fold: ValidDelivery, how: How): Promise<void> {
  const { message } = fold.reading;
  return publish(deps, fold, rejectionOf(message), {
    device: message.device,
    id: message.id,
    forwardId: guaranteeOf(deps.route).forwardId(deps.route, message, how.owner),
    body: message.body,
    isJson: message.isJson,
    mark: how.mark,
  });
}

/** In shadow mode, what could not be read goes out as well, where the device itself has sent it. */
export async function forwardUnread(
  deps: IngestDeps,
  fold: ParsedDelivery,
  rejection: Rejection,
): Promise<void> {
  const { device } = rejection;
  if (device === undefined || rejection.answerTo !== device) return;
  const { body, deliveryId } = fold.delivery;
  await publish(deps, fold, rejection, {
    device,
    id: rejection.id,
    forwardId: `${deps.route.name}#${device}##${deliveryId}`,
    body: readUtf8(body) ?? body,
    // It was refused, perhaps for not being JSON: nothing is said of it.
    isJson: false,
    mark: undefined,
  });
}

async function publish(
  deps: IngestDeps,
  fold: ParsedDelivery,
  known: Omit<Rejection, 'reason' | 'detail'>,
  forward: Omit<Forward, 'route' | 'template' | 'topic'>,
): Promise<void> {
  const { route, publisher, telemetry } = deps;
  if (route.forward === null) return;
  const reading = forwardOf({
    route: route.name,
    template: route.forward,
    topic: fold.delivery.topic,
    // Last, for V8 takes far longer for properties that follow a spread.
    ...forward,
  });
  try {
    if (!reading.ok) throw new TerminalError(reading.detail);
    await publisher.publish(reading.publication);
    telemetry.count(METRIC.forwarded, 1);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    telemetry.count(METRIC.unforwardable, 1);
    await quarantine(deps, fold, { ...known, reason: 'unforwardable', detail: error.message });
  }
}
