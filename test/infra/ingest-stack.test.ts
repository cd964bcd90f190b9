import { describe, expect, it } from 'vitest';
import {
  ASYNC_AGE_HOURS_MAX,
  ASYNC_RETRIES,
  DEAD_LETTER_RETENTION_DAYS,
  LOG_RETENTION_DAYS,
  QUEUE_BATCH_MESSAGES,
  QUEUE_VISIBILITY_SECONDS,
} from '../../core/base/limits.ts';
import { checkConfig } from '../../core/config/check.ts';
import { type Config, ruleName } from '../../core/config/route.ts';
import { ruleSql } from '../../core/message/envelope.ts';
import config from '../../tollbridge.config.ts';
import {
  type Found,
  handlersOf,
  inventoryOf,
  otherConfig,
  type Properties,
  resourceOf,
  resourcesOf,
  templatesOf,
  threeConfig,
} from './templates.ts';

const first = templatesOf(config);
const other = templatesOf(otherConfig);
const three = templatesOf(threeConfig);
const bridges = [
  { name: 'tollbridge', config: config as Config, template: first.ingestTemplate },
  { name: 'water', config: otherConfig, template: other.ingestTemplate },
  { name: 'fleet', config: threeConfig, template: three.ingestTemplate },
];
const routes = bridges.flatMap(({ config: written, template }) => {
  const bridge = checkConfig(written);
  return bridge.routes.map((route) => ({ ...route, bridge, route, template }));
});

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

describe('the ingest stack', () => {
  it('holds no table, and of each other type just what one route and the handshake need', () => {
    expect(inventoryOf(first.ingestTemplate)).toEqual({
      'AWS::IAM::Policy': 3,
      'AWS::IAM::Role': 4,
      'AWS::IoT::Policy': 1,
      'AWS::IoT::TopicRule': 3,
      'AWS::Lambda::EventInvokeConfig': 2,
      'AWS::Lambda::EventSourceMapping': 1,
      'AWS::Lambda::Function': 3,
      'AWS::Lambda::Permission': 3,
      'AWS::Logs::LogGroup': 3,
      'AWS::SQS::Queue': 2,
      'AWS::SQS::QueuePolicy': 2,
      'Custom::AWS': 1,
    });
  });

  it('shares between routes the policy, the look-up and the handshake, whatever their guarantees', () => {
    const one = inventoryOf(first.ingestTemplate);
    const shared = {
      'AWS::IAM::Policy': 2,
      'AWS::IAM::Role': 2,
      'AWS::IoT::Policy': 1,
      'AWS::IoT::TopicRule': 2,
      'AWS::Lambda::EventInvokeConfig': 1,
      'AWS::Lambda::Function': 2,
      'AWS::Lambda::Permission': 2,
      'AWS::Logs::LogGroup': 2,
      'Custom::AWS': 1,
    };
    const inventoryFor = (routeCount: number) =>
      Object.fromEntries(
        Object.entries(one).map(([type, count]) => {
          const common = shared[type as keyof typeof shared] ?? 0;
          return [type, routeCount * (count - common) + common];
        }),
      );
    expect(inventoryOf(other.ingestTemplate)).toEqual(inventoryFor(2));
    expect(inventoryOf(three.ingestTemplate)).toEqual(inventoryFor(3));
  });

  it('takes its names from the configuration, so that two bridges fit one account', () => {
    expect([first.state.stackName, first.ingest.stackName]).toEqual([
      'Tollbridge-State',
      'Tollbridge-Ingest',
    ]);
    expect([other.state.stackName, other.ingest.stackName]).toEqual([
      'Water-State',
      'Water-Ingest',
    ]);
  });

  it('tells operators and devices what they need in outputs', () => {
    const outputs = first.ingestTemplate.toJSON().Outputs as Record<string, { Value: unknown }>;
    // Beside them stand what the ops stack reads, whose names the CDK makes.
    const forPeople = Object.keys(outputs).filter((name) => !name.startsWith('PublishOutput'));
    expect(forPeople.sort()).toEqual([
      'ChargesBasicIngestPrefix',
      'ChargesDeadLettersUrl',
      'ChargesQueueUrl',
      'ChargesRuleName',
      'DataEndpointAddress',
      'DevicePolicyNames',
    ]);
    expect(outputs.ChargesRuleName?.Value).toBe('tollbridge_charges');
    expect(outputs.ChargesBasicIngestPrefix?.Value).toBe('$aws/rules/tollbridge_charges/');
    expect(outputs.DevicePolicyNames?.Value).toBe('tollbridge_device');
  });

  it('looks the data endpoint up when it is deployed, by the name that has a trusted certificate', () => {
    const { Create, Update } = resourceOf(first.ingestTemplate, 'Custom::AWS').properties;
    const call = {
      service: 'IoT',
      action: 'describeEndpoint',
      parameters: { endpointType: 'iot:Data-ATS' },
    };
    expect(JSON.parse(String(Create))).toMatchObject(call);
    expect(Update).toBe(Create);
  });
});

describe.each(routes)('the rule of $name ($feed)', ({ bridge, route, template }) => {
  const found = ruleOf(template, ruleName(bridge, route));
  const payload = found.properties.TopicRulePayload as Properties;
  const [action, ...more] = payload.Actions as Properties[];
  const errorAction = payload.ErrorAction as Properties;

  it("runs the core's SQL in the version that knows its functions", () => {
    expect(payload.Sql).toBe(ruleSql(route.topic));
    expect(payload.AwsIotSqlVersion).toBe('2016-03-23');
    expect(payload.RuleDisabled).toBe(false);
  });

  it('takes one path, and the other one when that fails', () => {
    const paths = route.feed === 'queue' ? ['Sqs', 'Lambda'] : ['Lambda', 'Sqs'];
    expect(more).toEqual([]);
    expect([action, errorAction].map((each) => Object.keys(each ?? {}))).toEqual(
      paths.map((path) => [path]),
    );
  });

  it('ends on both paths in one function: that of the queue is the one invoked', () => {
    const { Sqs, Lambda } = { ...action, ...errorAction } as Record<string, Properties>;
    const queue = String(Sqs?.QueueUrl).replace(/[<>]/g, '');
    const mapping = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').find(
      ({ properties }) => properties.EventSourceArn === `<${queue}.Arn>`,
    );
    const invoked = String(Lambda?.FunctionArn).replace('.Arn', '');
    expect(mapping?.properties.FunctionName).toBe(invoked);
  });

  it('puts the envelope into the queue as it is', () => {
    expect({ ...action, ...errorAction }.Sqs).toMatchObject({ UseBase64: false });
  });

  it('exists only once the function lets it in, and the function lets in no other rule', () => {
    const arn = `arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:rule/${ruleName(bridge, route)}`;
    const permission = resourcesOf(template, 'AWS::Lambda::Permission').find(
      ({ properties }) => properties.SourceArn === arn,
    );
    expect(permission?.properties).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: ({ ...action, ...errorAction }.Lambda as Properties).FunctionArn,
      Principal: 'iot.amazonaws.com',
      SourceAccount: '<AWS::AccountId>',
      SourceArn: arn,
    });
    expect(found.resource.DependsOn).toEqual([permission?.id]);
  });
});

it('the SQL of the default route is this text, for rows and receipts depend on each name in it', () => {
  const { TopicRulePayload } = ruleOf(first.ingestTemplate, 'tollbridge_charges').properties;
  expect((TopicRulePayload as Properties).Sql).toBe(
    "SELECT encode(*, 'base64') AS body, topic() AS topic, clientid() AS clientId, " +
      'principal() AS principal, timestamp() AS receivedAt, newuuid() AS deliveryId, ' +
      'get_user_properties() AS userProperties, ' +
      "get_mqtt_property('correlation_data') AS correlationData FROM 'billing/+/charges'",
  );
});

describe.each(bridges)('queues of $name', ({ template }) => {
  const queues = resourcesOf(template, 'AWS::SQS::Queue');
  const fed = queues.filter(({ properties }) => 'RedrivePolicy' in properties);
  const dead = queues.filter(({ properties }) => !('RedrivePolicy' in properties));

  it('are standard, encrypted, and outlive the stack with the charges in them', () => {
    for (const { properties, resource } of queues) {
      expect(properties.SqsManagedSseEnabled).toBe(true);
      expect(properties).not.toHaveProperty('FifoQueue');
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
  });

  it('refuse every call without TLS', () => {
    const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy').map((each) => each.properties);
    expect(policies.flatMap(({ Queues }) => Queues).sort()).toEqual(
      queues.map(({ id }) => `<${id}>`).sort(),
    );
    for (const { PolicyDocument } of policies) {
      expect((PolicyDocument as Properties).Statement).toEqual([
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]);
    }
  });

  it('come in pairs: each queue of a route has a dead-letter queue of its own', () => {
    const targets = fed.map(({ properties }) => redriveOf(properties).deadLetterTargetArn);
    expect(targets.sort()).toEqual(dead.map(({ id }) => `<${id}.Arn>`).sort());
  });

  it('keep a dead letter for 14 days', () => {
    for (const { properties } of dead) {
      expect(properties.MessageRetentionPeriod).toBe(DEAD_LETTER_RETENTION_DAYS * DAY_SECONDS);
      expect(properties.MessageRetentionPeriod).toBe(14 * DAY_SECONDS);
    }
  });

  it('try again for at least six hours, and do not forget a message before that', () => {
    for (const { properties } of fed) {
      const longestRetry =
        Number(properties.VisibilityTimeout) * redriveOf(properties).maxReceiveCount;
      expect(longestRetry).toBeGreaterThanOrEqual(6 * HOUR_SECONDS);
      expect(Number(properties.MessageRetentionPeriod)).toBeGreaterThan(longestRetry);
    }
  });

  it('hide a message for six time-outs of the function, as AWS asks', () => {
    const [timeout] = handlersOf(template).map(({ properties }) => Number(properties.Timeout));
    for (const { properties } of fed) {
      expect(Number(properties.VisibilityTimeout)).toBeGreaterThanOrEqual(6 * Number(timeout));
    }
  });

  it('feed batches of ten without waiting, and fail record by record', () => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(fed.length);
    for (const { properties } of mappings) {
      expect(properties.BatchSize).toBe(QUEUE_BATCH_MESSAGES);
      expect(properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      expect(properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
    }
  });
});

describe('a route that gathers', () => {
  const { charges } = config.routes;
  if (charges === undefined) throw new Error('the default configuration has no route charges');
  const { ingestTemplate: gathering } = templatesOf({
    routes: { charges: { ...charges, batch: { messages: 1_000, waitSeconds: 20 } } },
  });

  it('has the batches it asks for, and hides messages for their wait as well', () => {
    const [mapping] = resourcesOf(gathering, 'AWS::Lambda::EventSourceMapping');
    expect(mapping?.properties).toMatchObject({
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 20,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const hidden = resourcesOf(gathering, 'AWS::SQS::Queue').map(
      ({ properties }) => properties.VisibilityTimeout,
    );
    expect(hidden).toContain(QUEUE_VISIBILITY_SECONDS + 20);
  });
});

describe.each(bridges)('functions of $name', ({ template, config: written }) => {
  const functions = resourcesOf(template, 'AWS::Lambda::Function');
  const handlers = handlersOf(template);

  it('run on the newest Node.js, and log to a group of their own that forgets', () => {
    const groups = resourcesOf(template, 'AWS::Logs::LogGroup');
    for (const { properties } of functions) {
      expect(properties.Runtime).toBe('nodejs24.x');
      expect(groups.map(({ id }) => `<${id}>`)).toContain(
        (properties.LoggingConfig as Properties).LogGroup,
      );
    }
    expect(groups).toHaveLength(functions.length);
    for (const { properties } of groups) {
      expect(properties.RetentionInDays).toBe(LOG_RETENTION_DAYS);
    }
  });

  it('run on arm64 when they are ours, and share the account’s concurrency', () => {
    expect(handlers).toHaveLength(Object.keys(written.routes).length);
    for (const { properties } of handlers) {
      expect(properties.Architectures).toEqual(['arm64']);
      expect(properties).not.toHaveProperty('ReservedConcurrentExecutions');
    }
  });

  it('put an event that fails for good into the dead-letter queue of their own route', () => {
    for (const { id, properties } of handlers) {
      const { TargetArn } = properties.DeadLetterConfig as Properties;
      const mapping = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').find(
        (each) => each.properties.FunctionName === `<${id}>`,
      );
      const queue = String(mapping?.properties.EventSourceArn).replace(/[<>]|\.Arn/g, '');
      const fed = resourceOf(template, 'AWS::SQS::Queue', new RegExp(`^${queue}$`));
      expect(redriveOf(fed.properties).deadLetterTargetArn).toBe(TargetArn);
    }
  });

  it('try an event again twice, for at most six hours', () => {
    const configs = resourcesOf(template, 'AWS::Lambda::EventInvokeConfig').filter(({ id }) =>
      id.startsWith('Routes'),
    );
    expect(configs).toHaveLength(handlers.length);
    for (const { properties } of configs) {
      expect(properties.MaximumRetryAttempts).toBe(ASYNC_RETRIES);
      expect(properties.MaximumEventAgeInSeconds).toBe(ASYNC_AGE_HOURS_MAX * HOUR_SECONDS);
      expect(properties).not.toHaveProperty('DestinationConfig');
    }
  });
});

function ruleOf(template: (typeof bridges)[0]['template'], name: string): Found {
  const found = resourcesOf(template, 'AWS::IoT::TopicRule').find(
    ({ properties }) => properties.RuleName === name,
  );
  if (found === undefined) throw new Error(`no rule is named ${name}`);
  return found;
}

function redriveOf(properties: Properties) {
  return properties.RedrivePolicy as {
    readonly deadLetterTargetArn: string;
    readonly maxReceiveCount: number;
  };
}
