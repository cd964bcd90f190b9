import { describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import {
  otherConfig,
  resourceOf,
  resourcesOf,
  type Statement,
  statementsOf,
  templatesOf,
  threeConfig,
} from './templates.ts';

const first = templatesOf(config).ingestTemplate;
const other = templatesOf(otherConfig).ingestTemplate;
const three = templatesOf(threeConfig).ingestTemplate;

/** The one action that may stand on every resource, and why. */
const ON_EVERYTHING = new Map([
  ['iot:DescribeEndpoint', 'it acts on no resource; IAM accepts no ARN for it'],
]);

const IOT = 'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:';

describe.each([
  { name: 'tollbridge', template: first },
  { name: 'water', template: other },
  { name: 'fleet', template: three },
])('every permission in $name', ({ template }) => {
  const allowed = statementsOf(template).filter(({ effect }) => effect === 'Allow');

  it('names its actions', () => {
    expect(allowed.length).toBeGreaterThan(5);
    for (const { actions } of allowed) {
      for (const action of actions) expect(action).not.toContain('*');
    }
  });

  it('names its resources, except where AWS knows none', () => {
    for (const { actions, resources, holder } of allowed) {
      if (!resources.includes('*')) continue;
      expect([holder, ...actions.filter((action) => !ON_EVERYTHING.has(action))]).toEqual([holder]);
    }
  });

  it('deletes nothing from a table, and no way round that is open', () => {
    const onTables = allowed.flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith('dynamodb:')),
    );
    const keeping = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];
    expect(onTables.filter((action) => !keeping.includes(action))).toEqual([]);
  });

  it('replaces whole rows in the dedup records alone: a replaced ledger row is a lost booking', () => {
    const replaced = allowed
      .filter(({ actions }) => actions.includes('dynamodb:PutItem'))
      .flatMap(({ resources }) => resources.map(tableNameIn));
    expect(replaced.filter((table) => table !== 'DedupRecords')).toEqual([]);
  });

  it('acts on tables and not on their indexes', () => {
    const onTables = allowed.filter(({ actions }) => actions.some((one) => /^dynamodb:/.test(one)));
    for (const { resources } of onTables) {
      for (const resource of resources) expect(resource).toMatch(/^<import [\w-]+:\w+Arn\w+>$/);
    }
  });

  it('uses no policy of AWS, whose text can change', () => {
    for (const { properties } of resourcesOf(template, 'AWS::IAM::Role')) {
      expect(properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});

describe('the function of a route', () => {
  it('may update and read ledger rows, add to the quarantine, publish, and nothing else', () => {
    expect(rightsOf(first, /^RoutesChargesIngestRole/)).toEqual([
      'dynamodb:GetItem on <import Tollbridge-State:ExportsOutputFnGetAttLedgerB7379752Arn8FB7B3DC>',
      'dynamodb:UpdateItem on <import Tollbridge-State:ExportsOutputFnGetAttLedgerB7379752Arn8FB7B3DC>',
      'dynamodb:UpdateItem on <import Tollbridge-State:ExportsOutputFnGetAttQuarantine23FF09FEArnFC59122E>',
      `iot:Publish on ${IOT}topic/booked/*/charges`,
      `iot:Publish on ${IOT}topic/tollbridge/*/receipts`,
      'logs:CreateLogStream on <RoutesChargesIngestLog737C1FF3.Arn>',
      'logs:PutLogEvents on <RoutesChargesIngestLog737C1FF3.Arn>',
      'sqs:ChangeMessageVisibility on <RoutesChargesQueue23541A79.Arn>',
      'sqs:DeleteMessage on <RoutesChargesQueue23541A79.Arn>',
      'sqs:GetQueueAttributes on <RoutesChargesQueue23541A79.Arn>',
      'sqs:GetQueueUrl on <RoutesChargesQueue23541A79.Arn>',
      'sqs:ReceiveMessage on <RoutesChargesQueue23541A79.Arn>',
      'sqs:SendMessage on <RoutesChargesDeadLettersCDBB7A03.Arn>',
    ]);
  });

  it('may not publish where its route sends neither receipts nor forwards', () => {
    const rights = rightsOf(other, /^RoutesMetersIngestRole/);
    expect(rights.filter((right) => right.startsWith('iot:'))).toEqual([]);
  });

  it('may publish a forward on the topics that its template can become', () => {
    const rights = rightsOf(other, /^RoutesPumpsIngestRole/);
    expect(rights.filter((right) => right.startsWith('iot:'))).toEqual([
      `iot:Publish on ${IOT}topic/clean/pumps/*/charges`,
      `iot:Publish on ${IOT}topic/tollbridge/*/receipts`,
    ]);
  });
});

describe('the tables that a function may use', () => {
  it.each([
    {
      guarantee: 'exactly-once',
      role: /^RoutesChargesIngestRole/,
      rights: [
        'dynamodb:GetItem on Ledger',
        'dynamodb:UpdateItem on Ledger',
        'dynamodb:UpdateItem on Quarantine',
      ],
    },
    {
      guarantee: 'deduplicated',
      role: /^RoutesEventsIngestRole/,
      rights: [
        'dynamodb:GetItem on DedupRecords',
        'dynamodb:PutItem on DedupRecords',
        'dynamodb:UpdateItem on DedupRecords',
        'dynamodb:UpdateItem on Quarantine',
      ],
    },
    {
      guarantee: 'latest',
      role: /^RoutesStatusIngestRole/,
      rights: [
        'dynamodb:GetItem on State',
        'dynamodb:UpdateItem on Quarantine',
        'dynamodb:UpdateItem on State',
      ],
    },
  ])('are that of $guarantee and the quarantine, and no other', ({ role, rights }) => {
    const onTables = rightsOf(three, role).filter((right) => right.startsWith('dynamodb:'));
    const named = onTables.map((right) => right.replace(/<.*>/, tableNameIn));
    expect(named.sort()).toEqual(rights);
  });
});

describe('the topics that a function may publish on', () => {
  it.each([
    { route: 'charges', role: /^RoutesChargesIngestRole/, forwards: ['booked/*/charges'] },
    { route: 'events', role: /^RoutesEventsIngestRole/, forwards: ['deduplicated/events/*/*'] },
    { route: 'status', role: /^RoutesStatusIngestRole/, forwards: [] },
  ])('are receipts and the forward of $route, and no topic that a route listens on', (each) => {
    const topics = [...each.forwards, 'tollbridge/*/receipts'];
    expect(rightsOf(three, each.role).filter((right) => right.startsWith('iot:'))).toEqual(
      topics.map((topic) => `iot:Publish on ${IOT}topic/${topic}`),
    );
  });
});

describe('the rule of a route', () => {
  const role = resourceOf(first, 'AWS::IAM::Role', /^RoutesChargesRuleRole/);

  it('may put messages into its own queue and nothing else', () => {
    expect(rightsOf(first, /^RoutesChargesRuleRole/)).toEqual([
      'sqs:SendMessage on <RoutesChargesQueue23541A79.Arn>',
    ]);
  });

  it('lends its role to no other rule and no other account', () => {
    expect(role.properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'iot.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' },
            ArnEquals: { 'aws:SourceArn': `${IOT}rule/tollbridge_charges` },
          },
        },
      ],
    });
  });
});

describe('the function of the handshake', () => {
  const rights = (template: typeof first) =>
    rightsOf(template, /^HandshakeAnswerRole/).map((right) => right.replace(/<.*>/, tableNameIn));

  it('may mark and read rows, read the quarantine, answer, and nothing else', () => {
    expect(rights(three).filter((right) => !right.startsWith('logs:'))).toEqual(
      [
        'dynamodb:GetItem on DedupRecords',
        'dynamodb:GetItem on Ledger',
        'dynamodb:GetItem on Quarantine',
        'dynamodb:UpdateItem on DedupRecords',
        'dynamodb:UpdateItem on Ledger',
        'iot:Publish on arn:topic/tollbridge/*/receipts',
      ].map((right) => right.replace('arn:', IOT)),
    );
  });

  it('may touch no table of a guarantee that no route has', () => {
    expect(rights(first).filter((right) => right.includes('DedupRecords'))).toEqual([]);
  });
});

it('the look-up of the endpoint may ask for it and write its log, and nothing else', () => {
  expect(rightsOf(first, /^DataEndpointRole/)).toEqual([
    'iot:DescribeEndpoint on *',
    'logs:CreateLogStream on <DataEndpointLogDC93E583.Arn>',
    'logs:PutLogEvents on <DataEndpointLogDC93E583.Arn>',
  ]);
});

/** The table that an ARN belongs to, by the start of its logical id. */
function tableNameIn(arn: string): string {
  return /:ExportsOutputFnGetAtt([A-Za-z]+?)[0-9A-F]{8}Arn/.exec(arn)?.[1] ?? arn;
}

/** What a role may do, one line for each action and resource. */
function rightsOf(template: typeof first, role: RegExp): readonly string[] {
  const isRight = ({ holder, effect, resources }: Statement) =>
    role.test(holder) && effect === 'Allow' && resources.length > 0;
  return statementsOf(template)
    .filter(isRight)
    .flatMap(({ actions, resources }) =>
      actions.flatMap((action) => resources.map((resource) => `${action} on ${resource}`)),
    )
    .sort();
}
