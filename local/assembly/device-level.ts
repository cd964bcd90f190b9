/**
 * Which level of a topic names the device, for brokers that do not say who has published. Only the
 * route knows: it travels in the variable ROUTE of the function that the rule reaches.
 */
import * as z from 'zod';
import { topicMatches } from '../../core/message/topics.ts';
import type { RuleAction, TopicRule } from '../contracts.ts';
import { basicIngestOf } from '../iot/basic-ingest.ts';
import { parseRuleSql } from '../iot/rule-sql.ts';
import type { CloudPlan, FunctionPlan } from './plan.ts';

type Plan = Pick<CloudPlan, 'rules' | 'queues' | 'mappings' | 'functions'>;

/** What devices publish on the bridge's own topics (release, query). */
const OWN_REQUESTS = 'tollbridge/+/+';

const routeSchema = z.object({
  device: z.object({ from: z.literal('topic-level'), level: z.int().positive() }),
});

/** The FROM filter of a rule. */
export function filterOf(rule: TopicRule): string {
  return parseRuleSql(rule.sql, rule.sqlVersion).filter;
}

/**
 * Answers with the level, from 1 and without Basic Ingest's prefix. Undefined where no rule takes
 * the topic, where its function has no ROUTE, and where two rules disagree: never a guess.
 */
export function createDeviceLevelOf(plan: Plan): (topic: string) => number | undefined {
  const rules = plan.rules.map((rule) => ({
    name: rule.name,
    filter: filterOf(rule),
    levels: levelsOf(plan, rule),
  }));
  return (topic) => {
    if (topicMatches(OWN_REQUESTS, topic)) return 2;
    const address = basicIngestOf(topic);
    const levels = rules
      .filter(({ name, filter }) =>
        address === undefined ? topicMatches(filter, topic) : name === address.rule,
      )
      .flatMap((rule) => rule.levels);
    return new Set(levels).size === 1 ? levels[0] : undefined;
  };
}

function levelsOf(plan: Plan, rule: TopicRule): readonly number[] {
  return rule.actions
    .flatMap((action) => functionsOf(plan, action))
    .flatMap(({ environment }) => levelIn(environment.ROUTE) ?? []);
}

function functionsOf(plan: Plan, action: RuleAction): readonly FunctionPlan[] {
  switch (action.kind) {
    case 'lambda':
      return plan.functions.filter(({ arn }) => arn === action.functionArn);
    case 'sqs': {
      const queue = plan.queues.find(({ url }) => url === action.queueUrl);
      const names = plan.mappings
        .filter(({ queueArn }) => queueArn === queue?.arn)
        .map(({ functionName }) => functionName);
      return plan.functions.filter(({ name }) => names.includes(name));
    }
  }
}

function levelIn(route: string | undefined): number | undefined {
  if (route === undefined) return undefined;
  try {
    return routeSchema.parse(JSON.parse(route)).device.level;
  } catch {
    return undefined;
  }
}
