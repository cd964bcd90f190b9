/**
 * What the soak's devices mean to say, and the bridge that it is said to. Serials in the bodies are
 * what is compared at the end, not the ids that are under test.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, defineConfig } from '../../core/config/route.ts';
import { payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import type { Routes } from '../../device/publish/profile.ts';
import type { Faults } from '../../local/contracts.ts';
import { charges } from '../../tools/handlers/samples.ts';

/** One route of each guarantee, fed both ways, all of them forwarded. */
export const config: Config = defineConfig({
  routes: {
    charges,
    events: {
      guarantee: 'deduplicated',
      topic: 'events/+/door',
      device: topicLevel(2),
      id: payload('id'),
      time: payload('at'),
      window: { days: 7 },
      feed: 'direct',
      receipts: 1,
      forward: 'clean/{device}/events',
    },
    status: {
      guarantee: 'latest',
      topic: 'status/+',
      device: topicLevel(2),
      version: timestamp('at'),
      forward: 'newest/{device}/status',
    },
  },
});

export const FORWARD_FILTERS = ['booked/+/charges', 'clean/+/events', 'newest/+/status'] as const;

/** Everything that can be switched on; delays are of the cloud's time. */
export const FAULTS: Faults = {
  duplicate: 0.08,
  delay: 0.05,
  delayMillis: 60_000,
  drop: 0.05,
  reorder: 0.2,
  failAction: 0.02,
  crashBeforeWrite: 0.004,
  crashAfterWrite: 0.006,
  loseAnswer: 0.01,
  throttle: 0.02,
};
/**
 * The chance that a PUBACK is lost; half of it, that a PUBLISH is. After a cut a device sends all
 * again that has no answer: with more of it, cuts would bring about cuts.
 */
export const LOSS = 0.015;
/**
 * A redelivery after three seconds instead of three minutes. Functions take the time that they take:
 * with much less, a busy machine would hand out again what still runs.
 */
export const SPEED = 60;

export type RouteName = 'charges' | 'events' | 'status';

/** What one message is meant to become. */
export interface Meant {
  readonly serial: string;
  readonly device: string;
  readonly route: RouteName;
  /** None where the bridge takes none: a value is known by its topic. */
  readonly id: string | undefined;
  readonly body: Readonly<Record<string, string | number>>;
  /** The reason for which the bridge has to refuse it. */
  readonly refusal: 'missing-amount' | 'late' | 'conflict' | undefined;
}

export function deviceName(index: number): string {
  return `meter-${String(index + 1).padStart(3, '0')}`;
}

/** Every fourth device lives through the whole run: its memory is what is measured. */
export function isSteady(index: number): boolean {
  return index % 4 === 0;
}

export function routesOf(device: string, index: number): Routes {
  const handshake = index % 2 === 0 ? 'short' : 'full';
  const qos = index % 3 === 2 ? 0 : 1;
  return {
    charges: { topic: `billing/${device}/charges`, idField: 'id', handshake, qos },
    events: {
      topic: `$aws/rules/tollbridge_events/events/${device}/door`,
      idField: 'id',
      handshake,
      qos: 1,
    },
    status: { topic: `status/${device}`, idFrom: 'body', qos: 1 },
  };
}

/**
 * A queue tries for more than six hours, which are six minutes of a run: longer than any outage of
 * it. With so many receives an outage of a few seconds leaves dead letters.
 */
const RECEIVES_MAX = 3;

interface Template {
  Resources: Record<string, { readonly Type: string; readonly Properties?: Properties }>;
}

interface Properties {
  readonly RedrivePolicy?: { maxReceiveCount: number };
  readonly PolicyDocument?: object;
}

/** The one change to what is deployed: an operator's policy, and tries that a run can use up. */
export function prepare(assembly: string): void {
  const file = join(assembly, 'Tollbridge-Ingest.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  const redrives = Object.values(template.Resources).flatMap(
    ({ Properties }) => Properties?.RedrivePolicy ?? [],
  );
  if (redrives.length === 0) throw new Error('no queue of the template has a dead-letter queue');
  for (const redrive of redrives) redrive.maxReceiveCount = RECEIVES_MAX;
  template.Resources = { ...template.Resources, ReceiverPolicy: receiverPolicy() };
  writeFileSync(file, JSON.stringify(template));
}

/** Lets the receiver of forwards subscribe, as an operator does with a policy of its own. */
function receiverPolicy() {
  const arn = (resource: string) => ({
    'Fn::Join': ['', ['arn:aws:iot:', REGION, ':', ACCOUNT, `:${resource}`]],
  });
  const allow = (action: string, resources: readonly string[]) => ({
    Effect: 'Allow',
    Action: action,
    Resource: resources.map(arn),
  });
  const document = {
    Version: '2012-10-17',
    Statement: [
      allow(
        'iot:Subscribe',
        FORWARD_FILTERS.map((filter) => `topicfilter/${filter}`),
      ),
      allow(
        'iot:Receive',
        FORWARD_FILTERS.map((filter) => `topic/${filter.replace('+', '*')}`),
      ),
    ],
  };
  return { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: document } };
}

const REGION = { Ref: 'AWS::Region' };
const ACCOUNT = { Ref: 'AWS::AccountId' };
