import { Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { type Bridge, type Route, ruleName } from '../../core/config/route.ts';

/** Replaced by AWS IoT when a device connects, not by CloudFormation: it must arrive literally. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of AWS IoT
const THING = '${iot:Connection.Thing.ThingName}';

/** AWS IoT quota "Maximum policy document size", white space not counted. */
const POLICY_CHARS_MAX = 2_048;
/** The longest that the start of an ARN becomes, e.g. `arn:aws-us-gov:iot:ap-southeast-2:…`. */
const ARN_START = 'arn:aws-us-gov:iot:ap-southeast-2:123456789012:';

export interface DevicePolicyProps {
  readonly bridge: Bridge;
}

/**
 * What a device may do (I6): connect under its thing's name, send on its own topics, read its own
 * receipts. An operator attaches it by name to each device's certificate.
 */
export class DevicePolicy extends Construct {
  readonly policyName: string;

  constructor(scope: Construct, id: string, props: DevicePolicyProps) {
    super(scope, id);
    this.policyName = `${props.bridge.name}_device`;
    assertFits(props.bridge);
    const arnStart = Stack.of(this).formatArn({ service: 'iot', resource: '' });
    new CfnPolicy(this, 'Policy', {
      policyName: this.policyName,
      policyDocument: documentOf(props.bridge, arnStart.replace(/\/$/, '')),
    });
  }
}

function documentOf(bridge: Bridge, arnStart: string) {
  const allow = (action: string, resources: readonly string[]) => ({
    Effect: 'Allow',
    Action: action,
    Resource: resources.map((resource) => arnStart + resource),
  });
  return {
    Version: '2012-10-17',
    Statement: [
      allow('iot:Connect', [`client/${THING}`]),
      allow(
        'iot:Publish',
        publishTopics(bridge).map((topic) => `topic/${topic}`),
      ),
      allow('iot:Subscribe', [`topicfilter/tollbridge/${THING}/receipts`]),
      allow('iot:Receive', [`topic/tollbridge/${THING}/receipts`]),
    ],
  };
}

/**
 * A route that trusts its topic level is left out: there a gateway sends in the name of others, and
 * a right for every device would let each of them use up another's ids. The gateway needs a policy
 * of its own.
 */
function publishTopics(bridge: Bridge): readonly string[] {
  const own = bridge.routes.filter((route) => route.trustTopicLevel === null);
  return [
    ...own.flatMap((route) => {
      const topic = topicOfDevice(route);
      return [topic, `$aws/rules/${ruleName(bridge, route)}/${topic}`];
    }),
    `tollbridge/${THING}/release`,
    `tollbridge/${THING}/query`,
  ];
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

/** A policy that is too long fails at deployment, half-way through the stack. */
function assertFits(bridge: Bridge): void {
  const chars = JSON.stringify(documentOf(bridge, ARN_START)).length;
  if (chars <= POLICY_CHARS_MAX) return;
  throw new Error(
    `the device policy of ${bridge.routes.length} routes has up to ${chars} characters; AWS IoT ` +
      `allows ${POLICY_CHARS_MAX}. Shorten topics, or move routes to a second bridge (name: '…').`,
  );
}
