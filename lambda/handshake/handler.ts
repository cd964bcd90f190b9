/**
 * The function behind the rules of release and query. A request may come twice, late or never:
 * asking again does no harm, and what was not answered is asked again by the device.
 *
 * Keeps I6: a device asks for its own ids alone. Keeps I3: what a table does not answer, the bridge
 * does not either.
 */

import { RetryableError } from '../../core/base/errors.ts';
import { BATCH_WRITES_CONCURRENT_MAX, DEADLINE_RESERVE_MILLIS } from '../../core/base/limits.ts';
import type { Clock } from '../../core/base/time.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { type Delivery, readEnvelope } from '../../core/message/envelope.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import type { Publisher, QuarantineReader, Releases, Telemetry } from '../../core/tables/ports.ts';
import type { HandshakeRoute } from '../../core/wire/handshake-route.ts';
import { type Receipt, receiptPayloads } from '../../core/wire/receipts.ts';
import { type Request, readRequest } from '../../core/wire/requests.ts';
import { concurrently } from '../runtime/concurrently.ts';
import { abortAfter, aborted } from '../runtime/deadline.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { publishReceipts } from '../runtime/receipts.ts';
import { type Question, questionsOf } from './answers.ts';

/** A route, and where its requests are counted. */
interface ServedRoute {
  readonly route: HandshakeRoute;
  readonly telemetry: Telemetry;
}

export interface HandshakeDeps {
  readonly routes: ReadonlyMap<string, ServedRoute>;
  readonly ledger: Releases;
  readonly dedupRecords: Releases;
  readonly findings: QuarantineReader;
  readonly publisher: Publisher;
  /** Where a request names no route of this bridge. */
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/**
 * Makes the handler. It throws RetryableError when something was left unanswered: the invocation
 * counts as failed, and the device asks again.
 */
export function createHandler(deps: HandshakeDeps) {
  return async (event: unknown, invocation: Invocation): Promise<void> => {
    const envelope = readEnvelope(event, deps.clock());
    if (!envelope.ok) return refuse(deps, '', envelope.detail);
    const { delivery } = envelope;
    const reading = readRequest(delivery);
    if (!reading.ok) return refuse(deps, delivery.topic, reading.detail);
    const { request, unread } = reading;
    const served = deps.routes.get(request.route);
    // Another bridge of the account may have it: its requests come here as well, are no fault, and
    // an answer could contradict its own.
    if (served === undefined) return;
    const { telemetry } = served;
    const deadline = abortAfter(invocation.getRemainingTimeInMillis() - DEADLINE_RESERVE_MILLIS);
    try {
      if (unread > 0) {
        telemetry.count(METRIC.unreadable, unread);
        telemetry.note('warn', 'entries of a request not read', { topic: delivery.topic, unread });
      }
      await answer({ ...deps, ...served }, request, delivery, deadline.signal);
    } finally {
      deadline.cancel();
      telemetry.flush();
    }
  };
}

function refuse({ telemetry }: HandshakeDeps, topic: string, detail: string): void {
  telemetry.count(METRIC.unreadable, 1);
  telemetry.note('warn', 'request not read', { topic, detail });
  telemetry.flush();
}

/** What one request needs. */
type RequestDeps = Omit<HandshakeDeps, 'routes'> & ServedRoute;

async function answer(
  deps: RequestDeps,
  request: Request,
  { receivedAt, topic }: Delivery,
  deadline: AbortSignal,
): Promise<void> {
  const { route, telemetry, findings } = deps;
  const { clientId, device } = request;
  if (!route.trustsTopicLevel && clientId !== device) {
    telemetry.count(METRIC.unreadable, 1);
    telemetry.note('warn', 'request in the name of another device', { topic, clientId });
    return;
  }
  const from = {
    route: route.name,
    idFormat: route.idFormat,
    messages: messagesOf(deps),
    findings,
  };
  const questions = questionsOf(from, request, receivedAt);
  const receipts = await askAll(questions, telemetry, deadline);
  telemetry.count(request.kind === 'release' ? METRIC.completed : METRIC.queried, receipts.length);
  const isSent = await send(deps, device, receipts);
  if (receipts.length < questions.length || !isSent) {
    throw new RetryableError('the request was not answered in full; asking again does no harm');
  }
}

function messagesOf({ route, ledger, dedupRecords }: RequestDeps): Releases | undefined {
  const { hasIds, table } = guaranteeOf(route);
  if (!hasIds) return undefined;
  return table === 'ledger' ? ledger : dedupRecords;
}

/** The answers that came in time, in the order of the questions. */
async function askAll(
  questions: readonly Question[],
  telemetry: Telemetry,
  deadline: AbortSignal,
): Promise<readonly Receipt[]> {
  const answers = new Map<Question, Awaited<ReturnType<Question>>>();
  const ask = async (question: Question) => {
    if (deadline.aborted) return;
    try {
      answers.set(question, await question());
    } catch (error) {
      telemetry.note('error', 'question of a device not answered', { error });
    }
  };
  const asked = concurrently(questions, BATCH_WRITES_CONCURRENT_MAX, ask);
  await Promise.race([aborted(deadline), asked]);
  const inTime = questions.flatMap((question) => answers.get(question) ?? []);
  telemetry.count(METRIC.released, inTime.filter(({ isMarked }) => isMarked).length);
  return inTime.map(({ receipt }) => receipt);
}

/** Whether all of them went out. */
async function send(
  deps: RequestDeps,
  device: string,
  receipts: readonly Receipt[],
): Promise<boolean> {
  const { name, qos } = deps.route;
  const sent = receiptPayloads(name, receipts).map((payload) =>
    publishReceipts(deps, device, payload, qos),
  );
  return (await Promise.all(sent)).every((isSent) => isSent);
}
