import { type CfnResource, Stack } from 'aws-cdk-lib';
import { CfnEventInvokeConfig, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnQueue, type Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { MESSAGE_LIFETIME_MAX_SECONDS, REDRIVE_RESERVE_SECONDS } from '../../core/base/limits.ts';

/** Where a delivery of a route can wait. */
export interface MessageHops {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly handler: LambdaFunction;
}

/**
 * Holds the template's own figures against L, the constant by which the function tells a late copy
 * from a new message and dates a row's end (I7). If a delivery could be under way for longer, its
 * row might be swept before it and the copy would be quarantined though nothing was wrong; if for
 * less, rows would be paid for that nothing can be a copy of. Looked at when the app is
 * synthesized, so that what an aspect or an override has changed is seen as well.
 */
export function validateMessageLifetime(scope: Construct, hops: MessageHops): void {
  scope.node.addValidation({
    validate: () => {
      const problem = lifetimeProblem(hops);
      return problem === undefined ? [] : [problem];
    },
  });
}

function lifetimeProblem({ queue, deadLetters, handler }: MessageHops): string | undefined {
  const figures = [
    ['retention of the queue', retentionOf(queue)],
    ['retention of the dead-letter queue', retentionOf(deadLetters)],
    ["age of an event in Lambda's own queue", eventAgeOf(handler)],
    ['reserve for a redrive', REDRIVE_RESERVE_SECONDS],
  ] as const;
  const life = figures.reduce((sum, [, seconds]) => sum + (seconds ?? Number.NaN), 0);
  if (life === MESSAGE_LIFETIME_MAX_SECONDS) return undefined;
  const sum = figures.map(([name, seconds]) => `${name} ${textOf(seconds)}`).join(' + ');
  return (
    `a delivery can be under way for ${textOf(life)} by the template (${sum}); ` +
    `${textOf(MESSAGE_LIFETIME_MAX_SECONDS)} are allowed, as the function reckons with ` +
    'MESSAGE_LIFETIME_MAX_SECONDS. Change these figures in core/base/limits.ts alone: template and function ' +
    'are both made from it.'
  );
}

/** A figure that is not written down counts as none: AWS's preset is not ours to rely on. */
function textOf(seconds: number | undefined): string {
  return seconds === undefined || Number.isNaN(seconds) ? 'an unknown time' : `${seconds} s`;
}

function retentionOf({ node: { defaultChild } }: Queue): number | undefined {
  return defaultChild instanceof CfnQueue
    ? figureOf(defaultChild, 'MessageRetentionPeriod')
    : undefined;
}

function eventAgeOf(handler: LambdaFunction): number | undefined {
  const [config, ...more] = handler.node
    .findAll()
    .filter((each) => each instanceof CfnEventInvokeConfig);
  // Two of them would be two ages, and one figure could not stand for both.
  return config === undefined || more.length > 0
    ? undefined
    : figureOf(config, 'MaximumEventAgeInSeconds');
}

/** From what goes into the template: a property of the construct knows nothing of its overrides. */
function figureOf(resource: CfnResource, property: string): number | undefined {
  const { Resources }: Fragment = Stack.of(resource).resolve(resource._toCloudFormation());
  const [only] = Object.values(Resources);
  const figure = only?.Properties?.[property];
  return typeof figure === 'number' ? figure : undefined;
}

interface Fragment {
  readonly Resources: Readonly<
    Record<string, { readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}
