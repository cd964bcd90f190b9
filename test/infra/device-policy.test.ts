import { describe, expect, it } from 'vitest';
import { defineConfig, type RouteConfig } from '../../core/config/route.ts';
import config from '../../tollbridge.config.ts';
import { otherConfig, resourceOf, resourcesOf, templatesOf, threeConfig } from './templates.ts';

const first = templatesOf(config).ingestTemplate;
const other = templatesOf(otherConfig).ingestTemplate;

const IOT = 'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:';
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
            Action: 'iot:Subscribe',
            Resource: [`${IOT}topicfilter/tollbridge/${THING}/receipts`],
          },
          {
            Effect: 'Allow',
            Action: 'iot:Receive',
            Resource: [`${IOT}topic/tollbridge/${THING}/receipts`],
          },
          {
            Effect: 'Allow',
            Action: 'iot:Publish',
            Resource: [
              `${IOT}topic/tollbridge/${THING}/release`,
              `${IOT}topic/tollbridge/${THING}/query`,
              `${IOT}topic/billing/${THING}/charges`,
              `${IOT}topic/$aws/rules/tollbridge_charges/billing/${THING}/charges`,
            ],
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

  it('lets a device send on routes of every guarantee, and on no forward of theirs', () => {
    const topics = publishTopics(templatesOf(threeConfig).ingestTemplate);
    const own = [`billing/${THING}/charges`, `events/${THING}/*`, `status/${THING}`];
    const rules = ['fleet_charges', 'fleet_events', 'fleet_status'];
    expect(topics).toEqual([
      `topic/tollbridge/${THING}/release`,
      `topic/tollbridge/${THING}/query`,
      ...own.flatMap((topic, index) => [
        `topic/${topic}`,
        `topic/$aws/rules/${rules[index]}/${topic}`,
      ]),
    ]);
  });

  it('gives no right on a route that trusts its topic level: a gateway needs its own policy', () => {
    expect(publishTopics(other).filter((topic) => topic.includes('pumps'))).toEqual([]);
  });

  it('goes on in further policies where one would be longer than AWS IoT allows', () => {
    const { ingestTemplate } = templatesOf(manyRoutes(12));
    const policies = resourcesOf(ingestTemplate, 'AWS::IoT::Policy').map(
      ({ properties }) => properties,
    );
    expect(policies.map(({ PolicyName }) => PolicyName).sort()).toEqual([
      'tollbridge_device',
      'tollbridge_device_2',
    ]);
    for (const { PolicyDocument } of policies) {
      const longest = JSON.stringify(PolicyDocument).replaceAll(
        IOT,
        'arn:aws-us-gov:iot:ap-southeast-2:123456789012:',
      );
      expect(longest.length).toBeLessThanOrEqual(2_048);
    }
    const text = JSON.stringify(policies);
    for (let index = 0; index < 12; index++) expect(text).toContain(`billing${index}/`);
  });

  it('is refused when the app is built, not when it is deployed, if a certificate cannot hold it', () => {
    expect(() => templatesOf(manyRoutes(80))).toThrow(
      /the rights of a device on 80 routes take \d+ policies; AWS IoT allows 10/,
    );
  });
});

function manyRoutes(count: number) {
  const charges = config.routes.charges as RouteConfig;
  return defineConfig({
    routes: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `route${index}`,
        { ...charges, topic: `billing${index}/+/charges`, forward: `booked${index}/{device}` },
      ]),
    ),
  });
}

function publishTopics(template: typeof first): readonly string[] {
  const { PolicyDocument } = resourceOf(template, 'AWS::IoT::Policy').properties;
  const { Statement } = PolicyDocument as {
    readonly Statement: readonly { readonly Action: string; readonly Resource: string[] }[];
  };
  const publish = Statement.find(({ Action }) => Action === 'iot:Publish');
  return (publish?.Resource ?? []).map((resource) => resource.replace(IOT, ''));
}
