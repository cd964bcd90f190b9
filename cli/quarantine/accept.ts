/**
 * Accepting a quarantined delivery: it is claimed, booked by the function's own register and write,
 * forwarded like any booking, and the row is told. A run that breaks off leaves the claim behind;
 * the next one takes it over and comes to the same booking, because the write knows the delivery
 * that made the row, and forwards at least once (I1, I4).
 */

import { TerminalError } from '../../core/base/errors.ts';
import type { Clock } from '../../core/base/time.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import { bookingIdOf, type MessageKey } from '../../core/message/id.ts';
import { type Acceptance, acceptanceOf, spareKeyOf } from '../../core/operations/acceptance.ts';
import type { Publisher } from '../../core/tables/ports.ts';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';
import { forwardOf } from '../../core/wire/forward.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import type { BridgeClient } from '../access/access.ts';
import { routeInStep } from '../access/deployed-routes.ts';
import { AccessError } from '../access/failures.ts';
import { publishFault, unwrapped } from '../access/publishing.ts';
import { claim, type Deciding, finish, type Outcome, unclaim } from './decisions.ts';
import { type Decision, decisionOf, quarantinedOf, readRow } from './rows.ts';

export interface AcceptDeps {
  readonly access: BridgeClient;
  readonly publisher: Publisher;
  readonly by: string;
  readonly clock: Clock;
}

/** Now done, or found to be done already. */
export interface Accepted extends Outcome {
  readonly isNew: boolean;
  readonly by: string;
}

/** For so long a claim of somebody else is taken for a run that is still under way. */
export const UNDER_WAY_MILLIS = 60_000;

type Possible = Exclude<Acceptance, { kind: 'refused' }>;

/**
 * @throws AccessError that says why not, and what to do instead; the row is then as it was, or its
 * acceptance is begun and can be run again
 */
export async function accept(deps: AcceptDeps, key: QuarantineKey): Promise<Accepted> {
  const { access, by, clock } = deps;
  const row = await readRow(access, key);
  const decision = decisionOf(row);
  if (decision.kind === 'accepted') return done(decision);
  const deciding: Deciding = { by, now: clock() };
  const broken = brokenClaim(decision, deciding);
  const quarantined = quarantinedOf(row);
  const plan = acceptanceOf(await routeInStep(access, quarantined.route), quarantined);
  if (plan.kind === 'refused') throw new AccessError(`it cannot be accepted: ${plan.why}`);
  if (!(await claim(access, key, deciding, broken))) {
    throw new AccessError('somebody else has decided on it just now; look at it again');
  }
  const bookedAs = plan.kind === 'book' ? await book(deps, key, deciding, plan) : undefined;
  const forwardedAs = await forward(deps, plan, bookedAs);
  const outcome = { bookedAs: bookedAs?.id, forwardedAs };
  // Who took this run over has told the row the same.
  await finish(access, key, outcome, clock());
  return { ...outcome, isNew: true, by };
}

function done({
  by,
  bookedAs,
  forwardedAs,
}: Extract<Decision, { kind: 'accepted' | 'discarded' }>) {
  const given = (text: string) => (text === '' ? undefined : text);
  return { isNew: false, by, bookedAs: given(bookedAs), forwardedAs: given(forwardedAs) };
}

/** When the claim was made that this run takes over; undefined where there is none. */
function brokenClaim(decision: Decision, { by, now }: Deciding): string | undefined {
  if (decision.kind === 'none') return undefined;
  if (decision.kind !== 'accepting') {
    throw new AccessError(
      `${decision.by} discarded it at ${decision.at}; take that back first: tollbridge quarantine restore KEY`,
    );
  }
  const ends = Date.parse(decision.at) + UNDER_WAY_MILLIS;
  if (decision.by === by || now >= ends) return decision.at;
  throw new AccessError(
    `${decision.by} began to accept it at ${decision.at}; if that run broke off, run this again after ${new Date(ends).toISOString()}`,
  );
}

/** The key that it stands under: its own, or the spare one where another body has used that up. */
async function book(
  { access, clock }: AcceptDeps,
  key: QuarantineKey,
  deciding: Deciding,
  { route, delivery, message }: Extract<Possible, { kind: 'book' }>,
): Promise<MessageKey> {
  const ledger = createLedgerTable(access.dynamodb, access.tables.ledger);
  const deduplicator = exactlyOnceDeduplicator(route, ledger, clock);
  const decide = (under: typeof message) =>
    deduplicator.apply({
      delivery,
      deliveryIds: [delivery.deliveryId],
      reading: { kind: 'message', message: under },
    });
  const spare = { ...message, key: spareKeyOf(message) };
  try {
    for (const under of [message, spare]) {
      const { kind } = await decide(under);
      // Whoever booked the same body under the same id, it is booked and not booked again.
      if (kind === 'accepted' || kind === 'resumed' || kind === 'duplicate') return under.key;
    }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw unwrapped(error);
    await unclaim(access, key, deciding);
    throw new AccessError(`it cannot be accepted: the table refuses it for good: ${error.message}`);
  }
  await unclaim(access, key, deciding);
  throw new AccessError(
    `it cannot be accepted: other messages stand under its id and under ${bookingIdOf(spare.key)}`,
  );
}

async function forward(
  { publisher }: AcceptDeps,
  plan: Possible,
  bookedAs: MessageKey | undefined,
): Promise<string | undefined> {
  const { route, message, delivery } = plan;
  if (route.forward === null) return undefined;
  const forwardId = plan.kind === 'forward' ? plan.forwardId : bookingIdOf(bookedAs ?? message.key);
  const reading = forwardOf({
    route: route.name,
    template: route.forward,
    topic: delivery.topic,
    device: message.device,
    id: message.id,
    forwardId,
    body: message.body,
    isJson: message.isJson,
    mark: undefined,
  });
  const state = bookedAs === undefined ? 'not forwarded' : `booked as ${bookedAs.id}`;
  const broken = (fault: string) =>
    new AccessError(
      `${state}, but its forward failed: ${fault}; mend that and run accept again, which books nothing twice`,
    );
  if (!reading.ok) throw broken(reading.detail);
  try {
    await publisher.publish(reading.publication);
  } catch (error) {
    throw broken(publishFault(error, reading.publication.topic));
  }
  return forwardId;
}
