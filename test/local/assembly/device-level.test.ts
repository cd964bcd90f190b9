import { describe, expect, it } from 'vitest';
import { ruleSql } from '../../../core/message/envelope.ts';
import { createDeviceLevelOf } from '../../../local/assembly/device-level.ts';
import type { FunctionPlan } from '../../../local/assembly/plan.ts';
import type { RuleAction, TopicRule } from '../../../local/contracts.ts';

const QUEUE = 'https://sqs/charges';

function rule(name: string, filter: string, action: RuleAction): TopicRule {
  const arn = `arn:rule/${name}`;
  const sqlVersion = '2016-03-23';
  const sql = ruleSql(filter);
  return { name, arn, sql, sqlVersion, actions: [action], errorAction: undefined };
}

function lambda(name: string, route?: unknown): FunctionPlan {
  const ROUTE = typeof route === 'string' ? route : JSON.stringify(route);
  const environment = route === undefined ? {} : { ROUTE };
  return { name, arn: `arn:lambda/${name}`, environment } as unknown as FunctionPlan;
}

function levelOf(rules: readonly TopicRule[], functions: readonly FunctionPlan[]) {
  return createDeviceLevelOf({
    rules,
    functions,
    queues: [{ url: QUEUE, arn: 'arn:queue' }] as never,
    mappings: [{ queueArn: 'arn:queue', functionName: 'charges' }] as never,
  });
}

const device = (level: number) => ({ device: { from: 'topic-level', level } });
const to = (name: string) => ({ kind: 'lambda', functionArn: `arn:lambda/${name}` }) as const;
const toQueue = { kind: 'sqs', queueUrl: QUEUE, roleArn: 'arn:role' } as const;

describe('the level of a topic that names the device', () => {
  it('is the one of the route behind the rule, over a queue or at once, or by Basic Ingest', () => {
    const level = levelOf(
      [rule('charges', 'billing/+/charges', toQueue), rule('events', 'events/a/+', to('events'))],
      [lambda('charges', device(2)), lambda('events', device(3))],
    );
    expect(level('billing/meter-17/charges')).toBe(2);
    expect(level('events/a/meter-17')).toBe(3);
    expect(level('$aws/rules/events/billing/meter-17/charges')).toBe(3);
  });

  it('is not known where no rule listens, no route stands behind it, or two routes disagree', () => {
    const level = levelOf(
      [
        rule('plain', 'plain/+', to('plain')),
        rule('odd', 'odd/+', to('odd')),
        rule('one', 'both/+/#', to('one')),
        rule('two', 'both/+/+', to('two')),
      ],
      [lambda('plain'), lambda('odd', '{'), lambda('one', device(2)), lambda('two', device(3))],
    );
    expect(level('elsewhere')).toBeUndefined();
    expect(level('plain/meter-17')).toBeUndefined();
    expect(level('odd/meter-17')).toBeUndefined();
    expect(level('both/a/b')).toBeUndefined();
    expect(level('both/a')).toBe(2);
    expect(level('$aws/rules/nobody/both/a')).toBeUndefined();
  });
});
