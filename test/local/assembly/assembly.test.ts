import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { readAssembly } from '../../../local/assembly/read-assembly.ts';
import {
  assemblyOf,
  outputOf,
  plan,
  queue,
  refusalOf,
  removeFixtures,
  table,
} from './assembly-fixture.ts';

afterAll(removeFixtures);

describe('intrinsic functions', () => {
  const Mappings = { M: { 'us-east-1': { v: 'mapped' } } };
  const Conditions = {
    Here: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
    Elsewhere: { 'Fn::Not': [{ Condition: 'Here' }] },
    Both: { 'Fn::And': [{ Condition: 'Here' }, { Condition: 'Elsewhere' }] },
    Either: { 'Fn::Or': [{ Condition: 'Elsewhere' }, { Condition: 'Here' }] },
  };
  const rest = { Resources: { Q: queue(), Table: table() }, Mappings, Conditions };
  it.each([
    ['Ref of a table', { Ref: 'Table' }, 'S-Table'],
    ['Ref of a queue', { Ref: 'Q' }, 'https://sqs.us-east-1.amazonaws.com/000000000000/S-Q'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Q', 'Arn'] }, 'arn:aws:sqs:us-east-1:000000000000:S-Q'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Q.QueueName' }, 'S-Q'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Partition' }, 'b']] }, 'a-aws-b'],
    ['Join without what is no value', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::NoValue' }]] }, 'a'],
    [
      'Sub',
      { 'Fn::Sub': `\${AWS::StackName}/\${Table}/\${Q.Arn}` },
      'S/S-Table/arn:aws:sqs:us-east-1:000000000000:S-Q',
    ],
    [
      'Sub with variables',
      { 'Fn::Sub': [`\${x}-\${AWS::URLSuffix}`, { x: { Ref: 'Table' } }] },
      'S-Table-amazonaws.com',
    ],
    ['Sub with a literal', { 'Fn::Sub': `\${!iot:ClientId}` }, `\${iot:ClientId}`],
    ['Select of a Split', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['FindInMap', { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'v'] }, 'mapped'],
    ['If that holds', { 'Fn::If': ['Here', 'yes', 'no'] }, 'yes'],
    ['If that does not', { 'Fn::If': ['Elsewhere', 'yes', 'no'] }, 'no'],
    ['And', { 'Fn::If': ['Both', 'yes', 'no'] }, 'no'],
    ['Or', { 'Fn::If': ['Either', 'yes', 'no'] }, 'yes'],
  ])('%s is resolved', (_name, value, expected) => {
    expect(outputOf(value, rest)).toBe(expected);
  });

  it.each([
    ['an unknown function', { 'Fn::Base64': 'x' }, /Fn::Base64/],
    ['a reference to nothing', { Ref: 'Nobody' }, /Ref of "Nobody"/],
    ['an unknown attribute', { 'Fn::GetAtt': ['Q', 'Colour'] }, /Q\.Colour/],
    ['an export that does not exist', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue of "x"/],
    ['a place beyond a list', { 'Fn::Select': [2, ['a']] }, /beyond/],
    ['an unknown condition', { 'Fn::If': ['Never', 1, 2] }, /condition "Never"/],
  ])('%s is refused by name', (_name, value, met) => {
    const refusal = refusalOf({ ...rest, Outputs: { Value: { Value: value } } });
    expect(refusal).toMatchObject({
      stack: 'S',
      logicalId: 'Outputs.Value',
      met: expect.stringMatching(met),
    });
    expect(refusal.allowed).not.toBe('');
  });
});

describe('an assembly', () => {
  it('has its stacks in the order of their dependencies, and passes exports on', () => {
    const assembly = assemblyOf({
      Ingest: {
        template: { Outputs: { Table: { Value: { 'Fn::ImportValue': 'State:Ledger' } } } },
        dependencies: ['State'],
      },
      State: {
        template: {
          Resources: { Ledger: table() },
          Outputs: { Ledger: { Value: { Ref: 'Ledger' }, Export: { Name: 'State:Ledger' } } },
        },
      },
    });
    expect(assembly.stacks.map(({ name }) => name)).toEqual(['State', 'Ingest']);
    expect(plan(assembly).outputs.Ingest).toEqual({ Table: 'State-Ledger' });
  });

  it('is in the place that its stacks name, or in the local account', () => {
    const environment = 'aws://123456789012/eu-west-1';
    const named = assemblyOf({ S: { template: {}, environment } });
    expect(named.environment).toEqual({ accountId: '123456789012', region: 'eu-west-1' });
    expect(assemblyOf({ S: { template: {} } }).environment).toEqual({
      accountId: '000000000000',
      region: 'us-east-1',
    });
    expect(() =>
      assemblyOf({
        A: { template: {}, environment },
        B: { template: {}, environment: 'aws://123456789012/us-east-1' },
      }),
    ).toThrow(/several places/);
  });

  it('is refused when the folder of an asset is missing, and not when it is first invoked', () => {
    const template = { Resources: { Table: table() } };
    expect(() => assemblyOf({ S: { template } }, {}, 'asset.another')).toThrow(
      'the asset asset.code of S is missing in the assembly; make it again with: npx cdk synth',
    );
  });

  it('is refused with a stage in it, and when it is none', () => {
    expect(() =>
      assemblyOf({ S: { template: {} } }, { Stage: { type: 'cdk:cloud-assembly' } }),
    ).toThrow(/"cdk:cloud-assembly"/);
    expect(() => readAssembly(tmpdir())).toThrow(/manifest\.json" does not exist.*cdk synth/);
    expect(() => assemblyOf({})).toThrow(/holds no stack/);
  });
});
