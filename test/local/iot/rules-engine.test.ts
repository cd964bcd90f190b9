import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { seededChance } from '../../../local/chance.ts';
import {
  type ActionSink,
  type Chance,
  type CloudEvent,
  type Faults,
  type InboundMessage,
  noFaults,
  type RuleAction,
  type TopicRule,
} from '../../../local/contracts.ts';
import { UnsupportedSqlError } from '../../../local/iot/rule-sql.ts';
import { createRulesEngine, type RulesEngine } from '../../../local/iot/rules-engine.ts';

const SQL = `SELECT encode(*, 'base64') AS body, topic() AS topic, clientid() AS clientId,
  newuuid() AS deliveryId, traceid() AS traceId FROM 'billing/+/charges'`;
const queue: RuleAction = { kind: 'sqs', queueUrl: 'http://queue', roleArn: 'arn:role' };
const lambda: RuleAction = { kind: 'lambda', functionArn: 'arn:function' };

function rule(changes: Partial<TopicRule> = {}): TopicRule {
  return {
    name: 'Charges',
    arn: 'arn:aws:iot:eu-west-1:123456789012:rule/Charges',
    sql: SQL,
    sqlVersion: '2016-03-23',
    actions: [queue],
    errorAction: lambda,
    ...changes,
  };
}

const message: InboundMessage = {
  topic: 'billing/charger-1/charges',
  payload: Buffer.from('{"id":"1"}'),
  clientId: 'charger-1',
  principal: 'a1b2',
  receivedAt: epochMillis(1_000),
};

interface Handover {
  readonly rule: string;
  readonly kind: RuleAction['kind'];
  readonly payload: Record<string, unknown>;
}

interface Bench {
  readonly engine: RulesEngine;
  readonly handed: readonly Handover[];
  readonly tried: readonly RuleAction['kind'][];
  readonly events: readonly CloudEvent[];
  readonly delays: readonly number[];
}

interface BenchOptions {
  readonly rules?: readonly TopicRule[];
  readonly faults?: Partial<Faults>;
  readonly chance?: Chance;
  /** Throws for a hand-over that the target refuses; `attempt` counts from 1. */
  readonly refuse?: (action: RuleAction, attempt: number) => Error | undefined;
}

function bench(options: BenchOptions = {}): Bench {
  const handed: Handover[] = [];
  const tried: RuleAction['kind'][] = [];
  const events: CloudEvent[] = [];
  const delays: number[] = [];
  const deliver: ActionSink = async (from, action, payload) => {
    tried.push(action.kind);
    const error = options.refuse?.(action, tried.filter((kind) => kind === action.kind).length);
    if (error !== undefined) throw error;
    handed.push({ rule: from.name, kind: action.kind, payload: JSON.parse(payload) });
  };
  const engine = createRulesEngine({
    rules: options.rules ?? [rule()],
    deliver,
    faults: () => ({ ...noFaults, ...options.faults }),
    chance: options.chance ?? seededChance(1),
    observe: (event) => void events.push(event),
    accountId: '123456789012',
    delay: async (millis) => void delays.push(millis),
  });
  return { engine, handed, tried, events, delays };
}

async function accept(on: Bench, changes: Partial<InboundMessage> = {}): Promise<void> {
  await on.engine.accept({ ...message, ...changes });
  await on.engine.settled();
}

/** A chance whose coins are given. */
function coins(coin: number): Chance {
  return { happens: (probability) => probability === 1, below: () => coin };
}

describe('the rules engine', () => {
  it('hands the output of a matching rule to its action', async () => {
    const on = bench();
    await accept(on);
    expect(on.handed).toEqual([
      {
        rule: 'Charges',
        kind: 'sqs',
        payload: {
          body: message.payload.toString('base64'),
          topic: 'billing/charger-1/charges',
          clientId: 'charger-1',
          deliveryId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      },
    ]);
    expect(on.events).toEqual([
      {
        kind: 'delivery',
        rule: 'Charges',
        topic: 'billing/charger-1/charges',
        clientId: 'charger-1',
        payload: message.payload,
        output: expect.stringContaining(message.payload.toString('base64')),
        traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    ]);
  });

  it('gives a message to every rule whose filter takes its topic and to no other', async () => {
    const other = "SELECT topic() AS topic FROM 'billing/#'";
    const none = "SELECT topic() AS topic FROM 'status/#'";
    const on = bench({
      rules: [rule(), rule({ name: 'Other', sql: other }), rule({ name: 'None', sql: none })],
    });
    await accept(on);
    expect(on.handed.map((each) => each.rule).sort()).toEqual(['Charges', 'Other']);
  });

  it('hands the output to every action of a rule', async () => {
    const on = bench({ rules: [rule({ actions: [queue, lambda] })] });
    await accept(on);
    expect(on.handed.map((each) => each.kind).sort()).toEqual(['lambda', 'sqs']);
    expect(on.handed[0]?.payload).toEqual(on.handed[1]?.payload);
  });

  it('makes a new delivery id for each message, as newuuid() does', async () => {
    const on = bench();
    await accept(on);
    await accept(on);
    const ids = on.handed.map((each) => each.payload.deliveryId);
    expect(new Set(ids).size).toBe(2);
  });

  it('gives a Basic Ingest message to the rule that it names, and to no other', async () => {
    const other = "SELECT topic() AS topic FROM '#'";
    const on = bench({ rules: [rule(), rule({ name: 'Other', sql: other })] });
    await accept(on, { topic: '$aws/rules/Charges/billing/charger-1/charges' });
    expect(on.handed).toMatchObject([
      { rule: 'Charges', payload: { topic: 'billing/charger-1/charges' } },
    ]);
    expect(on.events).toMatchObject([{ kind: 'delivery', topic: 'billing/charger-1/charges' }]);
  });

  it('discards a Basic Ingest message for an unknown rule, and says so', async () => {
    const on = bench();
    const topic = '$aws/rules/charges/billing/charger-1/charges';
    await accept(on, { topic });
    expect(on.tried).toEqual([]);
    expect(on.events).toEqual([{ kind: 'rule-not-found', rule: 'charges', topic }]);
  });

  it('refuses a statement that it cannot run when it is made, not when a message comes', () => {
    const make = () => bench({ rules: [rule({ sql: "SELECT * FROM 'a'" })] });
    expect(make).toThrow(UnsupportedSqlError);
  });

  it('accepts a message before its actions have run, and settles when they have', async () => {
    const gate = new EventEmitter();
    let ran = false;
    const engine = createRulesEngine({
      rules: [rule()],
      deliver: async () => {
        await once(gate, 'open');
        ran = true;
      },
      faults: () => noFaults,
      chance: seededChance(1),
      observe: () => undefined,
      accountId: '123456789012',
      delay: async () => undefined,
    });
    await engine.accept(message);
    expect(ran).toBe(false);
    gate.emit('open');
    await engine.settled();
    expect(ran).toBe(true);
  });
});

describe('an action that fails', () => {
  it('is tried again, and the error action is not run when a later try succeeds', async () => {
    const on = bench({ refuse: (_, tried) => (tried < 3 ? new Error('throttled') : undefined) });
    await accept(on);
    expect(on.tried).toEqual(['sqs', 'sqs', 'sqs']);
    expect(on.handed).toHaveLength(1);
    expect(on.events.map((event) => event.kind)).toEqual(['delivery']);
    expect(on.delays).toHaveLength(2);
  });

  it('is tried three times; then the error action gets the documented message', async () => {
    const on = bench({
      refuse: (action) => (action.kind === 'sqs' ? new Error('gone') : undefined),
    });
    await accept(on, { topic: '$aws/rules/Charges/billing/charger-1/charges' });
    expect(on.tried).toEqual(['sqs', 'sqs', 'sqs', 'lambda']);
    expect(on.handed.map((each) => each.payload)).toEqual([
      {
        ruleName: 'Charges',
        topic: '$aws/rules/Charges/billing/charger-1/charges',
        cloudwatchTraceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        clientId: 'charger-1',
        base64OriginalPayload: message.payload.toString('base64'),
        failures: [
          {
            failedAction: 'SqsAction',
            failedResource: 'http://queue',
            errorMessage: expect.stringContaining('gone'),
          },
        ],
      },
    ]);
    expect(on.events).toMatchObject([
      { kind: 'delivery' },
      { kind: 'fallback', rule: 'Charges', reason: expect.stringContaining('gone') },
    ]);
  });

  it('shares one error message with the other failed actions of its rule', async () => {
    const second: RuleAction = { ...queue, queueUrl: 'http://second' };
    const on = bench({
      rules: [rule({ actions: [queue, second] })],
      refuse: (action) => (action.kind === 'sqs' ? new Error('gone') : undefined),
    });
    await accept(on);
    expect(on.handed).toMatchObject([
      {
        kind: 'lambda',
        payload: {
          failures: [{ failedResource: 'http://queue' }, { failedResource: 'http://second' }],
        },
      },
    ]);
  });

  it('is told of as a lost message when the error action fails as well', async () => {
    const on = bench({ refuse: (action) => new Error(`${action.kind} is gone`) });
    await accept(on);
    expect(on.tried).toEqual(['sqs', 'sqs', 'sqs', 'lambda', 'lambda', 'lambda']);
    expect(on.events.at(-1)).toMatchObject({
      kind: 'lost',
      topic: 'billing/charger-1/charges',
      reason: expect.stringMatching(/sqs is gone.*lambda is gone/),
    });
  });

  it('is told of as a lost message when the rule has no error action', async () => {
    const on = bench({
      rules: [rule({ errorAction: undefined })],
      refuse: () => new Error('gone'),
    });
    await accept(on);
    expect(on.events.at(-1)).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('gone'),
    });
  });

  it('is one whose output is over 128 KB: the error action takes the message, untried', async () => {
    const on = bench();
    await accept(on, { payload: Buffer.alloc(98_500) });
    expect(on.tried).toEqual(['lambda']);
    expect(on.handed).toMatchObject([
      {
        kind: 'lambda',
        payload: { failures: [{ errorMessage: expect.stringContaining('131072') }] },
      },
    ]);
  });

  it('is not one whose output is exactly 128 KB', async () => {
    const sql = "SELECT encode(*, 'base64') AS b FROM '#'";
    // {"b":"…"} takes 8 bytes around 131,064 characters of base64, which are 98,298 bytes.
    const fits = bench({ rules: [rule({ sql })] });
    await accept(fits, { payload: Buffer.alloc(98_298) });
    expect(fits.tried).toEqual(['sqs']);
    const tooLong = bench({ rules: [rule({ sql })] });
    await accept(tooLong, { payload: Buffer.alloc(98_299) });
    expect(tooLong.tried).toEqual(['lambda']);
  });
});

describe('the faults of the rules engine', () => {
  it('duplicate: either evaluates again, which is a second delivery with an id of its own', async () => {
    const on = bench({ faults: { duplicate: 1 }, chance: coins(0) });
    await accept(on);
    const [one, other] = on.handed;
    expect(on.handed).toHaveLength(2);
    expect(one?.payload.deliveryId).not.toBe(other?.payload.deliveryId);
    expect(one?.payload.traceId).toBe(other?.payload.traceId);
    expect(on.events.filter((event) => event.kind === 'delivery')).toHaveLength(2);
    expect(on.events).toContainEqual({ kind: 'fault', fault: 'duplicate', where: 'rule Charges' });
  });

  it('duplicate: or hands one output over twice, which stays one delivery', async () => {
    const on = bench({ faults: { duplicate: 1 }, chance: coins(1) });
    await accept(on);
    const [one, other] = on.handed;
    expect(on.handed).toHaveLength(2);
    expect(one?.payload).toEqual(other?.payload);
    expect(on.events.filter((event) => event.kind === 'delivery')).toHaveLength(1);
  });

  it('delay: holds the action back by at most delayMillis', async () => {
    const on = bench({ faults: { delay: 1, delayMillis: 50 } });
    for (let count = 0; count < 20; count += 1) await accept(on);
    expect(on.handed).toHaveLength(20);
    expect(on.events.filter((event) => event.kind === 'fault')).toHaveLength(20);
    expect(Math.max(...on.delays)).toBeLessThanOrEqual(50);
    expect(new Set(on.delays).size).toBeGreaterThan(5);
  });

  it('failAction: sends the message on its fallback without trying the action', async () => {
    const on = bench({ faults: { failAction: 1 } });
    await accept(on);
    expect(on.tried).toEqual(['lambda']);
    expect(on.events.map((event) => event.kind)).toEqual(['delivery', 'fault', 'fallback']);
  });

  it('strike the same messages when the seed is the same', async () => {
    const faults = { duplicate: 0.3, failAction: 0.3, delay: 0.3, delayMillis: 100 };
    const run = async (seed: number) => {
      const on = bench({ faults, chance: seededChance(seed) });
      for (let count = 0; count < 30; count += 1) await accept(on);
      return { tried: on.tried, delays: on.delays };
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    expect(first.tried.length).toBeGreaterThan(30);
  });
});
