/** What AWS IoT has to have for devices to be heard: rules, policies and the data endpoint. */
import {
  DescribeEndpointCommand,
  GetPolicyCommand,
  GetTopicRuleCommand,
  IoTClient,
  type TopicRule,
} from '@aws-sdk/client-iot';
import { pascalCase, type Route, ruleName } from '../../core/config/route.ts';
import { RULE_SQL_VERSION, ruleSql } from '../../core/message/envelope.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import type { BridgeClient } from '../access/access.ts';
import { asked, bad, type Finding, fine, none } from './findings.ts';

export async function iotFindings(access: BridgeClient): Promise<readonly Finding[]> {
  const iot = access.client((settings) => new IoTClient(settings));
  const found = await Promise.all([
    ...access.bridge.routes.map((route) => ruleFindings(iot, wantedOf(access, route))),
    ...(['release', 'query'] as const).map((kind) =>
      ruleFindings(iot, {
        name: ruleName(access.bridge, { name: `handshake_${kind}` }),
        sql: ruleSql(ownTopic('+', kind)),
        again: againAt(access),
        actionFault: ({ actions = [] }) =>
          actions[0]?.lambda === undefined ? 'it invokes no function' : undefined,
      }),
    ),
    policyFindings(access, iot),
    endpointFindings(access, iot),
  ]);
  return found.flat();
}

interface WantedRule {
  readonly name: string;
  readonly sql: string;
  readonly again: string;
  /** What is wrong with its actions, if anything. */
  readonly actionFault: (rule: TopicRule) => string | undefined;
}

function wantedOf(access: BridgeClient, route: Route): WantedRule {
  const queueUrl = access.outputs[`${pascalCase(route.name)}QueueUrl`];
  return {
    name: ruleName(access.bridge, route),
    sql: ruleSql(route.topic),
    again: againAt(access),
    actionFault: ({ actions = [], errorAction }) => {
      if (errorAction === undefined)
        return 'it has no error action: what its action refuses is lost';
      const [queue, direct] =
        route.feed === 'queue' ? [actions[0], errorAction] : [errorAction, actions[0]];
      if (queue?.sqs?.queueUrl !== queueUrl) return "one of its paths is not the route's queue";
      return direct?.lambda === undefined ? 'one of its paths is not the function' : undefined;
    },
  };
}

function againAt({ kind }: BridgeClient): string {
  return kind === 'local' ? 'end npm start and start it again' : 'npx cdk deploy --all';
}

function ruleFindings(iot: IoTClient, wanted: WantedRule): Promise<readonly Finding[]> {
  const about = { check: 'rule', subject: wanted.name };
  return asked(about, 'iot:GetTopicRule', async () => {
    const rule = await ruleNamed(iot, wanted.name);
    if (rule === undefined) {
      const text = 'it is not there, or these credentials may not read it (iot:GetTopicRule)';
      return [bad(about, text, `${wanted.again}; messages without a rule reach nobody`)];
    }
    if (rule.ruleDisabled) {
      const fix = `aws iot enable-topic-rule --rule-name ${wanted.name}; meanwhile devices keep what they send`;
      return [bad(about, 'it is disabled: nothing that devices send is booked', fix)];
    }
    const fault =
      rule.sql !== wanted.sql || rule.awsIotSqlVersion !== RULE_SQL_VERSION
        ? 'its SQL is not the one of this version: a delivery could not be read, or not be told from a copy'
        : wanted.actionFault(rule);
    return [
      fault === undefined ? fine(about, 'enabled, as made') : bad(about, fault, wanted.again),
    ];
  });
}

/** AWS does not tell a rule that is not there from one that the caller may not read. */
async function ruleNamed(iot: IoTClient, name: string): Promise<TopicRule | undefined> {
  try {
    return (await iot.send(new GetTopicRuleCommand({ ruleName: name }))).rule;
  } catch (error) {
    const isHidden =
      error instanceof Error &&
      (error.name === 'UnauthorizedException' || error.name === 'ResourceNotFoundException') &&
      /topic rule|not found/i.test(error.message);
    if (isHidden) return undefined;
    throw error;
  }
}

/** Every name of the output exists, and together they let a device send on each route. */
async function policyFindings(access: BridgeClient, iot: IoTClient): Promise<readonly Finding[]> {
  const about = { check: 'device policies', subject: access.outputs.DevicePolicyNames ?? '' };
  const names = about.subject.split(',').filter((name) => name !== '');
  if (names.length === 0) {
    return [bad(about, 'the stack has no output DevicePolicyNames', againAt(access))];
  }
  if (access.kind === 'local') {
    const text =
      'the broker here holds devices to the policies of the template; none are read back';
    return [none(about, text)];
  }
  return asked(about, 'iot:GetPolicy', async () => {
    const documents = new Map<string, string | undefined>();
    for (const name of names) documents.set(name, await documentOf(iot, name));
    const missing = names.filter((name) => documents.get(name) === undefined);
    if (missing.length > 0) {
      return [bad(about, `not there: ${missing.join(', ')}`, againAt(access))];
    }
    const text = [...documents.values()].join('\n');
    const shut = access.bridge.routes.filter(
      (route) =>
        route.trustTopicLevel === null && !text.includes(`/${ruleName(access.bridge, route)}/`),
    );
    if (shut.length === 0) return [fine(about, 'there, with every route')];
    const routes = shut.map(({ name }) => name).join(', ');
    return [bad(about, `they let no device send on: ${routes}`, againAt(access))];
  });
}

async function documentOf(iot: IoTClient, policyName: string): Promise<string | undefined> {
  try {
    return (await iot.send(new GetPolicyCommand({ policyName }))).policyDocument;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** The functions publish where the stack was told to when it was deployed. */
async function endpointFindings(access: BridgeClient, iot: IoTClient): Promise<readonly Finding[]> {
  const address = access.outputs.DataEndpointAddress ?? '';
  const about = { check: 'data endpoint', subject: address };
  if (access.kind === 'local') {
    return [none(about, 'the local API is the data plane, and answers this very command')];
  }
  return asked(about, 'iot:DescribeEndpoint', async () => {
    const { endpointAddress } = await iot.send(
      new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }),
    );
    if (endpointAddress === address) return [fine(about, "the account's own, as deployed")];
    const text = `the account's data endpoint is ${endpointAddress}, the functions publish to another`;
    return [bad(about, text, 'npx cdk deploy --all; until then receipts and forwards fail')];
  });
}
