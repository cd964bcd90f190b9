import { describe, expect, it } from 'vitest';
import { defineConfig, type RouteConfig } from '../../core/config/route.ts';
import config from '../../tollbridge.config.ts';
import { otherConfig, resourceOf, templatesOf } from './templates.ts';

const first = templatesOf(config).ingestTemplate;
const other = templatesOf(otherConfig).ingestTemplate;

const IOT = 'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:';
// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of AWS IoT
const THING = '${iot:Connection.Thing.ThingName}';

describe('the device policy', () => {
  it('lets a device be itself, send its own charges and read its own receipts', () => {
    expect(resourceOf(first, 'AWS::IoT::Policy').properties).toEqual({
      PolicyName: 'tollbridge_device',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'iot:Connect', Resource: [`${IOT}client/${THING}`] },
          {
            Effect: 'Allow',
            Action: 'iot:Publish',
            Resource: [
              `${IOT}topic/billing/${THING}/charges`,
              `${IOT}topic/$aws/rules/tollbridge_charges/billing/${THING}/charges`,
              `${IOT}topic/tollbridge/${THING}/release`,
              `${IOT}topic/tollbridge/${THING}/query`,
            ],
          },
          {
            Effect: 'Allow',
            Action: 'iot:Subscribe',
            Resource: [`${IOT}topicfilter/tollbridge/${THING}/receipts`],
          },
          {
            Effect: 'Allow',
            Action: 'iot:Receive',
            Resource: [`${IOT}topic/tollbridge/${THING}/receipts`],
          },
        ],
      },
    });
  });

  it('hands the name of the thing to AWS IoT literally: CloudFormation replaces nothing in it', () => {
    const text = JSON.stringify(first.toJSON().Resources);
    expect(text).toContain(`:client/${THING}`);
    const document = first.toJSON().Resources[resourceOf(first, 'AWS::IoT::Policy').id];
    expect(JSON.stringify(document)).not.toContain('Fn::Sub');
  });

  it('fixes the level of the device and leaves the other wildcards open', () => {
    expect(publishTopics(other)).toContain(`topic/sites/*/meters/${THING}/readings/*`);
    expect(publishTopics(other)).toContain(
      `topic/$aws/rules/water_meters/sites/*/meters/${THING}/readings/*`,
    );
  });

  it('gives no right on a route that trusts its topic level: a gateway needs its own policy', () => {
    expect(publishTopics(other).filter((topic) => topic.includes('pumps'))).toEqual([]);
  });

  it('is refused when the app is built, not when it is deployed, if AWS IoT would refuse it', () => {
    const charges = config.routes.charges as RouteConfig;
    const routes = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `route${index}`,
        { ...charges, topic: `billing${index}/+/charges`, forward: `booked${index}/{device}` },
      ]),
    );
    expect(() => templatesOf(defineConfig({ routes }))).toThrow(
      /the device policy of 12 routes has up to \d+ characters; AWS IoT allows 2048/,
    );
  });
});

function publishTopics(template: typeof first): readonly string[] {
  const { PolicyDocument } = resourceOf(template, 'AWS::IoT::Policy').properties;
  const { Statement } = PolicyDocument as {
    readonly Statement: readonly { readonly Action: string; readonly Resource: string[] }[];
  };
  const publish = Statement.find(({ Action }) => Action === 'iot:Publish');
  return (publish?.Resource ?? []).map((resource) => resource.replace(IOT, ''));
}
