import { Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { type Bridge, type Route, ruleName } from '../../core/config/route.ts';
import { ownTopic } from '../../core/wire/topics.ts';

/** Replaced by AWS IoT when a device connects, not by CloudFormation: it must arrive literally. */
const THING = '${iot:Connection.Thing.ThingName}';

/** AWS IoT quota "Maximum policy document size", white space not counted. */
const POLICY_CHARS_MAX = 2_048;
/** AWS IoT quota "Maximum number of policies that can be attached to a certificate". */
const POLICIES_MAX = 10;
/** The longest that the start of an ARN becomes, e.g. `arn:aws-us-gov:iot:ap-southeast-2:…`. */
const ARN_START = 'arn:aws-us-gov:iot:ap-southeast-2:123456789012:';

export interface DevicePolicyProps {
  readonly bridge: Bridge;
}

/**
 * What a device may do (I6): connect under its thing's name, send on its own topics, read its own
 * receipts. An operator attaches it by name to each device's certificate. What does not fit into
 * one policy goes on in further ones, which are attached beside it.
 */
export class DevicePolicy extends Construct {
  readonly policyNames: readonly string[];

  constructor(scope: Construct, id: string, props: DevicePolicyProps) {
    super(scope, id);
    const arnStart = Stack.of(this).formatArn({ service: 'iot', resource: '' }).replace(/\/$/, '');
    this.policyNames = statementsOf(props.bridge).map((statements, index) => {
      const ordinal = index === 0 ? '' : `${index + 1}`;
      const policyName = [props.bridge.name, 'device', ordinal].filter(Boolean).join('_');
      new CfnPolicy(this, `Policy${ordinal}`, {
        policyName,
        policyDocument: documentOf(statements, arnStart),
      });
      return policyName;
    });
  }
}

/** An action and what it is allowed on, without the start of the ARN. */
type Allowed = readonly [action: string, resources: readonly string[]];

function documentOf(statements: readonly Allowed[], arnStart: string) {
  return {
    Version: '2012-10-17',
    Statement: statements.map(([action, resources]) => ({
      Effect: 'Allow',
      Action: action,
      Resource: resources.map((resource) => arnStart + resource),
    })),
  };
}

/**
 * The statements of each policy. A policy that is too long fails at deployment, half-way through
 * the stack, so they are shared out before.
 */
function statementsOf(bridge: Bridge): readonly (readonly Allowed[])[] {
  const policies: Allowed[][] = [[...ownStatements(), ['iot:Publish', ownTopics()]]];
  for (const route of bridge.routes) {
    const topics = publishTopics(bridge, route);
    const current = policies.at(-1) ?? [];
    const extended = withPublish(current, topics);
    if (fits(extended)) policies[policies.length - 1] = extended;
    else policies.push([['iot:Publish', topics]]);
  }
  if (policies.length <= POLICIES_MAX) return policies;
  throw new Error(
    `the rights of a device on ${bridge.routes.length} routes take ${policies.length} policies; ` +
      `AWS IoT allows ${POLICIES_MAX} on a certificate. Move routes to a second bridge (name: '…').`,
  );
}

function fits(statements: readonly Allowed[]): boolean {
  return JSON.stringify(documentOf(statements, ARN_START)).length <= POLICY_CHARS_MAX;
}

function withPublish(statements: readonly Allowed[], topics: readonly string[]): Allowed[] {
  return statements.map(([action, resources]) =>
    action === 'iot:Publish' ? [action, [...resources, ...topics]] : [action, resources],
  );
}

function ownStatements(): readonly Allowed[] {
  return [
    ['iot:Connect', [`client/${THING}`]],
    ['iot:Subscribe', [`topicfilter/${ownTopic(THING, 'receipts')}`]],
    ['iot:Receive', [`topic/${ownTopic(THING, 'receipts')}`]],
  ];
}

function ownTopics(): readonly string[] {
  return [`topic/${ownTopic(THING, 'release')}`, `topic/${ownTopic(THING, 'query')}`];
}

/**
 * A route that trusts its topic level is left out: there a gateway sends in the name of others, and
 * a right for every device would let each of them use up another's ids. The gateway needs a policy
 * of its own.
 */
function publishTopics(bridge: Bridge, route: Route): readonly string[] {
  if (route.trustTopicLevel !== null) return [];
  const topic = topicOfDevice(route);
  return [`topic/${topic}`, `topic/$aws/rules/${ruleName(bridge, route)}/${topic}`];
}

/** The route's filter as a policy pattern: the device's level is the thing, other wildcards `*`. */
function topicOfDevice(route: Route): string {
  return route.topic
    .split('/')
    .map((level, index) => {
      if (index + 1 === route.device.level) return THING;
      return level === '+' || level === '#' ? '*' : level;
    })
    .join('/');
}
