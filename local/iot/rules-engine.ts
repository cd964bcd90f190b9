/**
 * The local stand-in for IoT Core's rules engine. Owns the parsed rules and the deliveries that are
 * under way.
 *
 * Invariants: a message that was accepted passes every rule that matches it before `accept`
 * resolves, so its `delivery` events come before the PUBACK; each of its actions ends in the
 * target, in the error action or in a `lost` event; chance is drawn when the message is accepted
 * and not later, so the order in which targets answer does not change what a seed means.
 */
import { randomUUID } from 'node:crypto';
import { RULE_OUTPUT_BYTES_MAX } from '../../core/base/limits.ts';
import type {
  ActionSink,
  Chance,
  Faults,
  InboundMessage,
  Observer,
  RuleAction,
  TopicRule,
} from '../contracts.ts';
import { basicIngestOf, visibleTopic } from './basic-ingest.ts';
import { evaluateRule, parseRuleSql, type RuleContext, type RuleStatement } from './rule-sql.ts';

export interface RulesEngineOptions {
  readonly rules: readonly TopicRule[];
  readonly deliver: ActionSink;
  /** Asked anew for each message. */
  readonly faults: () => Faults;
  readonly chance: Chance;
  readonly observe: Observer;
  readonly accountId: string;
  readonly delay: (millis: number) => Promise<void>;
}

export interface RulesEngine {
  /** Resolves when the message is the engine's to keep; its actions may still be under way. */
  accept(message: InboundMessage): Promise<void>;
  /** Resolves when no action is under way. */
  settled(): Promise<void>;
}

/**
 * AWS says "multiple attempts" and no number, except for HTTP actions: at most 3. The pause stands
 * for a back-off that is not documented either.
 */
const ATTEMPTS_MAX = 3;
const ATTEMPT_PAUSE_MILLIS = 100;

interface PreparedRule {
  readonly rule: TopicRule;
  readonly statement: RuleStatement;
}

/** What chance has decided for one action of one delivery. */
interface ActionPlan {
  readonly action: RuleAction;
  readonly delayMillis: number;
  readonly fails: boolean;
  readonly handedOverTwice: boolean;
}

interface Failure {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

/** Parses every statement at once, so that one that is not supported is refused at start. */
export function createRulesEngine(options: RulesEngineOptions): RulesEngine {
  const prepared = options.rules.map(prepare);
  const underWay = new Set<Promise<void>>();

  function track(topic: string, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        // Only `delay` or `observe` could get here; what was under way is gone, so say so.
        options.observe({ kind: 'lost', where: 'rules engine', topic, reason: String(error) });
      })
      .finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  }

  return {
    async accept(message) {
      // Documented only as "a unique identity": one for each message that arrives.
      const traceId = randomUUID();
      for (const each of rulesFor(prepared, message, options.observe)) {
        for (const delivery of deliveriesOf(each, message, traceId, options)) {
          track(message.topic, delivery());
        }
      }
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function prepare(rule: TopicRule): PreparedRule {
  return { rule, statement: parseRuleSql(rule.sql, rule.sqlVersion) };
}

/** A Basic Ingest topic names its rule; every other topic goes to all rules, FROM decides. */
function rulesFor(
  prepared: readonly PreparedRule[],
  message: InboundMessage,
  observe: Observer,
): readonly PreparedRule[] {
  const address = basicIngestOf(message.topic);
  if (address === undefined) return prepared;
  const named = prepared.filter(({ rule }) => rule.name === address.rule);
  if (named.length === 0) {
    // As on AWS: a log entry and the metric RuleNotFound, and the message is gone.
    observe({ kind: 'rule-not-found', rule: address.rule, topic: message.topic });
  }
  return named;
}

/**
 * Evaluates the rule at once and gives back what remains to be done. The fault `duplicate` has two
 * forms: the engine evaluates the message again (a second delivery, with another `newuuid()`), or
 * an action hands one output over twice (one delivery that the target sees twice).
 */
function deliveriesOf(
  prepared: PreparedRule,
  message: InboundMessage,
  traceId: string,
  options: RulesEngineOptions,
): readonly (() => Promise<void>)[] {
  const { chance, observe } = options;
  const { rule, statement } = prepared;
  // The ids must differ between runs with one seed: a table on disk may outlive a run, and a
  // repeated delivery id would pass there for the first delivery's own retry.
  const context: RuleContext = { accountId: options.accountId, traceId, newUuid: randomUUID };
  const faults = options.faults();

  const output = evaluateRule(statement, message, context);
  if (output === 'no-match') return [];
  const repeated = chance.happens(faults.duplicate);
  const handedOverTwice = repeated && chance.below(2) === 1;
  const outputs = [output];
  if (repeated) observe({ kind: 'fault', fault: 'duplicate', where: `rule ${rule.name}` });
  if (repeated && !handedOverTwice) {
    const again = evaluateRule(statement, message, context);
    if (again !== 'no-match') outputs.push(again);
  }
  const { clientId, payload } = message;
  const topic = visibleTopic(message.topic);
  return outputs.map((each) => {
    const text = JSON.stringify(each);
    observe({
      kind: 'delivery',
      rule: rule.name,
      topic,
      clientId,
      payload,
      output: text,
      traceId,
    });
    const plans = rule.actions.map((action) =>
      planOf(action, rule, faults, handedOverTwice, options),
    );
    return () => deliverOutput(rule, message, traceId, text, plans, options);
  });
}

function planOf(
  action: RuleAction,
  rule: TopicRule,
  faults: Faults,
  handedOverTwice: boolean,
  { chance, observe }: RulesEngineOptions,
): ActionPlan {
  const where = `rule ${rule.name}, ${nameOf(action)}`;
  const delayed = chance.happens(faults.delay);
  const delayMillis = delayed ? chance.below(Math.floor(faults.delayMillis) + 1) : 0;
  if (delayed) observe({ kind: 'fault', fault: 'delay', where });
  const fails = chance.happens(faults.failAction);
  if (fails) observe({ kind: 'fault', fault: 'failAction', where });
  return { action, delayMillis, fails, handedOverTwice };
}

/** Runs the actions of one delivery side by side, then the error action for those that failed. */
async function deliverOutput(
  rule: TopicRule,
  message: InboundMessage,
  traceId: string,
  output: string,
  plans: readonly ActionPlan[],
  options: RulesEngineOptions,
): Promise<void> {
  const results = await Promise.all(plans.map((plan) => runAction(rule, plan, output, options)));
  const failures = results.filter((result) => result !== undefined);
  const [first] = failures;
  if (first === undefined) return;
  const reason = failures.map((failure) => failure.errorMessage).join('; ');
  const { errorAction } = rule;
  const topic = visibleTopic(message.topic);
  if (errorAction === undefined) {
    const why = `${reason}; the rule has no error action`;
    options.observe({ kind: 'lost', where: `rule ${rule.name}`, topic, reason: why });
    return;
  }
  options.observe({ kind: 'fallback', rule: rule.name, reason });
  const envelope = JSON.stringify(envelopeOf(rule, message, traceId, failures));
  const error = await attempt(rule, errorAction, envelope, options);
  if (error === undefined) return;
  const why = `${reason}; the error action failed as well: ${error}`;
  options.observe({ kind: 'lost', where: `rule ${rule.name}`, topic, reason: why });
}

async function runAction(
  rule: TopicRule,
  plan: ActionPlan,
  output: string,
  options: RulesEngineOptions,
): Promise<Failure | undefined> {
  if (plan.delayMillis > 0) await options.delay(plan.delayMillis);
  const error = await actionError(rule, plan, output, options);
  if (error === undefined) {
    // The second hand-over is a retry after an answer that was lost. The target has the output
    // already, so its failure changes nothing.
    if (plan.handedOverTwice) await attempt(rule, plan.action, output, options);
    return undefined;
  }
  return {
    failedAction: nameOf(plan.action),
    failedResource: resourceOf(plan.action),
    errorMessage: `${nameOf(plan.action)} on ${resourceOf(plan.action)} failed: ${error}`,
  };
}

/** Why the action failed, or undefined when the target has taken the output. */
async function actionError(
  rule: TopicRule,
  plan: ActionPlan,
  output: string,
  options: RulesEngineOptions,
): Promise<string | undefined> {
  const bytes = Buffer.byteLength(output);
  if (bytes > RULE_OUTPUT_BYTES_MAX) {
    // Assumed: the quota "Rule payload" is documented, what happens above it is not. As a failure
    // of the action it reaches the error action, which is the harder case for the bridge.
    return `the rule's output is ${bytes} bytes; at most ${RULE_OUTPUT_BYTES_MAX} are allowed`;
  }
  if (plan.fails) return 'the fault failAction is switched on';
  return attempt(rule, plan.action, output, options);
}

async function attempt(
  rule: TopicRule,
  action: RuleAction,
  payload: string,
  { deliver, delay }: RulesEngineOptions,
): Promise<string | undefined> {
  let reason = '';
  for (let tried = 1; tried <= ATTEMPTS_MAX; tried += 1) {
    try {
      await deliver(rule, action, payload);
      return undefined;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (tried < ATTEMPTS_MAX) await delay(ATTEMPT_PAUSE_MILLIS * tried);
  }
  return reason;
}

/**
 * The error action's message ("Error handling" in the developer guide). `topic` is documented as
 * the one "in which the original message was received": Basic Ingest's prefix is left in. For a
 * message that did not come over MQTT the client id is taken to be what `clientid()` gives.
 */
function envelopeOf(
  rule: TopicRule,
  { topic, clientId, payload }: InboundMessage,
  traceId: string,
  failures: readonly Failure[],
) {
  return {
    ruleName: rule.name,
    topic,
    cloudwatchTraceId: traceId,
    clientId: clientId ?? 'n/a',
    base64OriginalPayload: payload.toString('base64'),
    failures,
  };
}

function nameOf(action: RuleAction): string {
  switch (action.kind) {
    case 'sqs':
      return 'SqsAction';
    case 'lambda':
      return 'LambdaAction';
  }
}

function resourceOf(action: RuleAction): string {
  switch (action.kind) {
    case 'sqs':
      return action.queueUrl;
    case 'lambda':
      return action.functionArn;
  }
}
