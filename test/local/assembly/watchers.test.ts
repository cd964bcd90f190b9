import { afterAll, describe, expect, it } from 'vitest';
import {
  assemblyOf,
  type Json,
  plan,
  planOf,
  queue,
  refusalOf,
  removeFixtures,
  resources,
} from './assembly-fixture.ts';

afterAll(removeFixtures);

const alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: 'a-b-c', Threshold: 1 } };
const watching = {
  Alarm: alarm,
  Board: { Type: 'AWS::CloudWatch::Dashboard', Properties: { DashboardBody: '{}' } },
  Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: {} } },
  Topic: { Type: 'AWS::SNS::Topic', Properties: {} },
  Policy: { Type: 'AWS::SNS::TopicPolicy', Properties: {} },
  Mail: { Type: 'AWS::SNS::Subscription', Properties: {} },
};

describe('what only watches', () => {
  it('is accepted, and each is named as not run here', () => {
    const { notRun, queues } = planOf(resources({ ...watching, Q: queue() }));
    expect(notRun).toEqual([
      { stack: 'S', logicalId: 'Alarm', type: 'AWS::CloudWatch::Alarm', name: 'a-b-c' },
      { stack: 'S', logicalId: 'Board', type: 'AWS::CloudWatch::Dashboard', name: 'S-Board' },
      { stack: 'S', logicalId: 'Key', type: 'AWS::KMS::Key', name: 'S-Key' },
      { stack: 'S', logicalId: 'Topic', type: 'AWS::SNS::Topic', name: 'S-Topic' },
      { stack: 'S', logicalId: 'Policy', type: 'AWS::SNS::TopicPolicy', name: 'S-Policy' },
      { stack: 'S', logicalId: 'Mail', type: 'AWS::SNS::Subscription', name: 'S-Mail' },
    ]);
    expect(queues).toHaveLength(1);
  });

  it('is told in outputs by the names that AWS would give', () => {
    const Outputs = {
      Topic: { Value: { Ref: 'Topic' } },
      TopicName: { Value: { 'Fn::GetAtt': ['Topic', 'TopicName'] } },
      Alarm: { Value: { 'Fn::GetAtt': ['Alarm', 'Arn'] } },
      Key: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } },
    };
    expect(planOf({ ...resources(watching), Outputs }).outputs.S).toEqual({
      Topic: 'arn:aws:sns:us-east-1:000000000000:S-Topic',
      TopicName: 'S-Topic',
      Alarm: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:a-b-c',
      Key: 'arn:aws:kms:us-east-1:000000000000:key/S-Key',
    });
  });
});

describe('an output of another stack', () => {
  const reading = (argument: Json) => ({
    Ingest: {
      template: { Resources: { Q: queue() }, Outputs: { Name: { Value: { Ref: 'AWS::Region' } } } },
    },
    Ops: {
      template: { Outputs: { Read: { Value: { 'Fn::GetStackOutput': argument } } } },
      dependencies: ['Ingest'],
    },
  });

  it('is read where it is no export', () => {
    const argument = { StackName: 'Ingest', OutputName: 'Name', Region: { Ref: 'AWS::Region' } };
    expect(plan(assemblyOf(reading(argument))).outputs.Ops).toEqual({ Read: 'us-east-1' });
  });

  it.each([
    ['that is not there', { StackName: 'Ingest', OutputName: 'Nothing' }],
    ['of a stack that is not there', { StackName: 'Nobody', OutputName: 'Name' }],
    ['of another Region', { StackName: 'Ingest', OutputName: 'Name', Region: 'eu-west-1' }],
    [
      'of another account',
      { StackName: 'Ingest', OutputName: 'Name', RoleArn: 'arn:aws:iam::1:role/x' },
    ],
  ])('%s is refused by name', (_name, argument) => {
    expect(() => plan(assemblyOf(reading(argument)))).toThrow(/Fn::GetStackOutput/);
  });

  it('that is asked for by no name is refused', () => {
    const Outputs = { Read: { Value: { 'Fn::GetStackOutput': 'Ingest.Name' } } };
    expect(refusalOf({ Outputs }).met).toContain('Fn::GetStackOutput');
  });
});
