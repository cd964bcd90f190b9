import type { CfnResource } from 'aws-cdk-lib';
import { CfnEventInvokeConfig, EventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../core/base/limits.ts';
import { checkConfig } from '../../core/config/check.ts';
import { type BridgeApp, buildApp } from '../../lib/build-app.ts';
import type { RouteIngest } from '../../lib/constructs/route-ingest.ts';
import { resourcesOf, templatesOf, testApp, threeConfig } from './templates.ts';

const DAY_SECONDS = 86_400;

describe('the time that a delivery can be under way', () => {
  it('is what the function reckons with: 4 + 14 + 1 days and 6 hours', () => {
    const { ingestTemplate } = templatesOf(threeConfig);
    const retentions = resourcesOf(ingestTemplate, 'AWS::SQS::Queue').map(({ properties }) =>
      Number(properties.MessageRetentionPeriod),
    );
    const ages = resourcesOf(ingestTemplate, 'AWS::Lambda::EventInvokeConfig').map(
      ({ properties }) => Number(properties.MaximumEventAgeInSeconds),
    );
    const shortest = Math.min(...retentions);
    const longest = Math.max(...retentions);
    expect(shortest + longest + Math.max(...ages) + DAY_SECONDS).toBe(MESSAGE_LIFETIME_MAX_SECONDS);
    expect(MESSAGE_LIFETIME_MAX_SECONDS).toBe(19 * DAY_SECONDS + 6 * 3_600);
  });

  it.each([
    { figure: 'the queue', station: queueOf, property: 'MessageRetentionPeriod' },
    { figure: 'the dead-letter queue', station: deadLettersOf, property: 'MessageRetentionPeriod' },
    { figure: "Lambda's own queue", station: asyncOf, property: 'MaximumEventAgeInSeconds' },
  ])('is refused, longer or shorter, when $figure keeps a delivery for another time', (each) => {
    for (const seconds of [3_600, 1_100_000]) {
      const { built, events } = build();
      each.station(events).addPropertyOverride(each.property, seconds);
      expect(() => built.app.synth()).toThrow(`${seconds} s`);
    }
  });

  it('is held against the constant with what was got, what is allowed and what to do', () => {
    const { built, events } = build();
    queueOf(events).messageRetentionPeriod = 5 * DAY_SECONDS;
    expect(() => built.app.synth()).toThrow(
      '[Fleet-Ingest/Routes/Events] a delivery can be under way for 1749600 s by the template ' +
        '(retention of the queue 432000 s + retention of the dead-letter queue 1209600 s + ' +
        "age of an event in Lambda's own queue 21600 s + reserve for a redrive 86400 s); " +
        '1663200 s are allowed, as the function reckons with MESSAGE_LIFETIME_MAX_SECONDS. Change these ' +
        'figures in core/base/limits.ts alone: template and function are both made from it.',
    );
  });

  it('is unknown, and refused, when the template leaves a figure to the preset of AWS', () => {
    const { built, events } = build();
    deadLettersOf(events).addPropertyDeletionOverride('MessageRetentionPeriod');
    expect(() => built.app.synth()).toThrow(
      /under way for an unknown time .*dead-letter queue an unknown time/,
    );
  });

  it('is unknown, and refused, when two configurations give the function two ages', () => {
    const { built, events } = build();
    new EventInvokeConfig(events.handler, 'Second', {
      function: events.handler,
      qualifier: 'live',
    });
    expect(() => built.app.synth()).toThrow(/Lambda's own queue an unknown time/);
  });
});

function build(): { readonly built: BridgeApp; readonly events: RouteIngest } {
  const built = buildApp(checkConfig(threeConfig), testApp());
  const events = built.ingest.routes.get('events');
  if (events === undefined) throw new Error('the configuration has no route events');
  return { built, events };
}

function queueOf({ queue }: RouteIngest): CfnQueue {
  return cfnQueue(queue.node.defaultChild);
}

function deadLettersOf({ deadLetters }: RouteIngest): CfnQueue {
  return cfnQueue(deadLetters.node.defaultChild);
}

function cfnQueue(resource: unknown): CfnQueue {
  if (resource instanceof CfnQueue) return resource;
  throw new Error('a queue has no resource of its own');
}

function asyncOf({ handler }: RouteIngest): CfnResource {
  const found = handler.node.findAll().find((each) => each instanceof CfnEventInvokeConfig);
  if (found !== undefined) return found;
  throw new Error('the function has no configuration of asynchronous calls');
}
