import { afterAll, describe, expect, it } from 'vitest';
import { checkPlan } from '../../../local/assembly/deploy-checks.ts';
import {
  awsCall,
  describeEndpoint,
  type Json,
  lambda,
  outputOf,
  planOf,
  queue,
  refusalOf,
  removeFixtures,
  resources,
  role,
  rule,
  table,
  trust,
} from './assembly-fixture.ts';

afterAll(removeFixtures);

describe('a resource', () => {
  it.each([
    ['of another type', resources({ T: { Type: 'AWS::S3::Bucket' } }), 'AWS::S3::Bucket'],
    [
      'that is a managed policy',
      resources({ P: { Type: 'AWS::IAM::ManagedPolicy' } }),
      'ManagedPolicy',
    ],
    ['with an unknown property', resources({ Q: queue({ Colour: 'red' }) }), 'Colour'],
    [
      'with an unknown property inside',
      resources({ T: table({ Replicas: [{ Region: 'us-east-1', Colour: 1 }] }) }),
      'Replicas[0].Colour',
    ],
    ['that is a FIFO queue', resources({ Q: queue({ FifoQueue: true }) }), 'FifoQueue'],
    [
      'with two replicas',
      resources({ T: table({ Replicas: [{ Region: 'a' }, { Region: 'b' }] }) }),
      'Replicas',
    ],
    ['with a stream', resources({ T: table({ StreamSpecification: {} }) }), 'StreamSpecification'],
    [
      'in another language',
      resources({ Role: role(), F: lambda({ Runtime: 'python3.13' }) }),
      'Runtime',
    ],
    ['with layers', resources({ Role: role(), F: lambda({ Layers: ['x'] }) }), 'Layers'],
    [
      'with no asset',
      resources({ Role: role(), F: lambda({ Code: { S3Bucket: 'b', S3Key: 'other.zip' } }) }),
      'other.zip',
    ],
    [
      'with wide rights',
      resources({
        Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] }),
      }),
      'ManagedPolicyArns',
    ],
    [
      'with the old SQL version',
      resources({ R: rule({ AwsIotSqlVersion: '2015-10-08' }) }),
      'AwsIotSqlVersion',
    ],
    [
      'with no SQL version',
      resources({ R: rule({ AwsIotSqlVersion: { Ref: 'AWS::NoValue' } }) }),
      'AwsIotSqlVersion',
    ],
    ['with another rule action', resources({ R: rule({ Actions: [{ S3: {} }] }) }), 'Actions[0]'],
    [
      'that asks AWS for something else',
      resources({ C: awsCall({ ...describeEndpoint, service: 'S3' }) }),
      'the service IoT',
    ],
    [
      'that asks for another endpoint',
      resources({ C: awsCall({ ...describeEndpoint, parameters: { endpointType: 'iot:Jobs' } }) }),
      'iot:Data-ATS',
    ],
  ])('%s is refused by name', (_name, template, met) => {
    const refusal = refusalOf(template);
    expect(refusal.met).toContain(met);
    expect(Object.keys(template.Resources as Json)).toContain(refusal.logicalId);
  });

  it('that only keeps plain http out of a queue is accepted, any other queue policy refused', () => {
    const policy = (statement: Json): Json =>
      resources({
        P: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: { Queues: ['q'], PolicyDocument: { Statement: [statement] } },
        },
      });
    const deny = { Action: 'sqs:*', Effect: 'Deny', Principal: { AWS: '*' }, Resource: 'arn' };
    const Condition = { Bool: { 'aws:SecureTransport': 'false' } };
    expect(planOf(policy({ ...deny, Condition })).queues).toEqual([]);
    expect(refusalOf(policy(deny)).met).toContain('Condition');
    expect(refusalOf(policy({ ...deny, Effect: 'Allow', Condition })).met).toContain('Effect');
  });

  it('whose condition does not hold is left out', () => {
    const Conditions = { Never: { 'Fn::Equals': ['a', 'b'] } };
    expect(
      planOf({ Conditions, ...resources({ Q: { ...queue(), Condition: 'Never' } }) }).queues,
    ).toEqual([]);
  });

  it('that asks for the data endpoint is answered, in each way that the CDK writes the call', () => {
    for (const service of ['IoT', 'iot', '@aws-sdk/client-iot']) {
      const template = resources({ C: awsCall({ ...describeEndpoint, service }) });
      expect(outputOf({ 'Fn::GetAtt': ['C', 'endpointAddress'] }, template)).toBe('127.0.0.1:4566');
    }
  });
});

describe('what AWS would not deploy', () => {
  const rights = (Action: unknown, Resource: unknown): Json => ({
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyName: 'p',
      Roles: [{ Ref: 'Role' }],
      PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] },
    },
  });
  const arn = { 'Fn::GetAtt': ['Q', 'Arn'] };
  const mapping = {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: arn, FunctionName: { Ref: 'F' } },
  };
  const good = {
    Role: role(),
    P: rights('sqs:*', arn),
    Q: queue(),
    F: lambda({ DeadLetterConfig: { TargetArn: arn } }),
    M: mapping,
  };

  it('is found before anything is started', () => {
    expect(() => checkPlan(planOf(resources(good)))).not.toThrow();
    expect(() =>
      checkPlan(planOf(resources({ ...good, P: rights('sqs:ReceiveMessage', arn) }))),
    ).toThrow(/lacks sqs:DeleteMessage, sqs:GetQueueAttributes.*\n.*lacks sqs:SendMessage/);
    expect(() =>
      checkPlan(planOf(resources({ ...good, Q: queue({ VisibilityTimeout: 2 }) }))),
    ).toThrow(/visibility time-out of 2 s, less than the 3 s/);
    const { Q: _queue, ...others } = good;
    expect(() => planOf(resources(others))).toThrow(/"Q"/);
  });

  it('is a function whose role Lambda may not assume', () => {
    const AssumeRolePolicyDocument = trust('iot.amazonaws.com');
    const refusal = refusalOf(resources({ ...good, Role: role({ AssumeRolePolicyDocument }) }));
    expect(refusal).toMatchObject({
      logicalId: 'F',
      allowed: expect.stringContaining('lambda.amazonaws.com may assume'),
    });
  });

  it('is a dead-letter queue that does not serve the source', () => {
    const redrive = { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 3 };
    const template = (allow: Json): Json =>
      resources({
        Q: queue({ RedrivePolicy: redrive }),
        Dead: queue({ RedriveAllowPolicy: allow }),
      });
    expect(refusalOf(template({ redrivePermission: 'denyAll' }))).toMatchObject({ logicalId: 'Q' });
    expect(
      planOf(template({ redrivePermission: 'byQueue', sourceQueueArns: [arn] })).queues[0]?.redrive,
    ).toEqual({
      deadLetterArn: 'arn:aws:sqs:us-east-1:000000000000:S-Dead',
      maxReceiveCount: 3,
    });
  });
});
