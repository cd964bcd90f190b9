/** Assemblies as `cdk synth` would write them, by hand and small, for tests of what reads them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnsupportedTemplateError } from '../../../local/assembly/errors.ts';
import { type CloudPlan, planCloud } from '../../../local/assembly/plan.ts';
import { type Assembly, readAssembly } from '../../../local/assembly/read-assembly.ts';

const folders: string[] = [];

/** Deletes the folders of all fixtures. */
export function removeFixtures(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

export type Json = Readonly<Record<string, unknown>>;
interface StackFixture {
  readonly template: Json;
  readonly dependencies?: readonly string[];
  readonly environment?: string;
}

/** Writes what `cdk synth` would write, with one code asset per stack under the key `code.zip`. */
export function assemblyOf(
  stacks: Readonly<Record<string, StackFixture>>,
  artifacts: Json = {},
  assetFolder = 'asset.code',
): Assembly {
  const dir = mkdtempSync(join(tmpdir(), 'tollbridge-assembly-'));
  folders.push(dir);
  mkdirSync(join(dir, assetFolder));
  const manifest: Record<string, unknown> = { ...artifacts };
  for (const [name, { template, dependencies = [], environment }] of Object.entries(stacks)) {
    const assets = `${name}.assets`;
    manifest[assets] = { type: 'cdk:asset-manifest', properties: { file: `${assets}.json` } };
    manifest[name] = {
      type: 'aws:cloudformation:stack',
      environment: environment ?? 'aws://unknown-account/unknown-region',
      dependencies: [...dependencies, assets],
      properties: { templateFile: `${name}.template.json` },
    };
    writeFileSync(join(dir, `${name}.template.json`), JSON.stringify(template));
    const source = { path: 'asset.code', packaging: 'zip' };
    const files = { code: { source, destinations: { here: { objectKey: 'code.zip' } } } };
    writeFileSync(join(dir, `${assets}.json`), JSON.stringify({ files, dockerImages: {} }));
  }
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ artifacts: manifest }));
  return readAssembly(dir);
}

export const plan = (assembly: Assembly): CloudPlan =>
  planCloud(assembly, { endpointAddress: '127.0.0.1:4566' });
export const planOf = (template: Json): CloudPlan => plan(assemblyOf({ S: { template } }));

/** What a template's output comes to. */
export function outputOf(value: unknown, rest: Json = {}): unknown {
  return planOf({ ...rest, Outputs: { Value: { Value: value } } }).outputs.S?.Value;
}

export function refusalOf(template: Json): UnsupportedTemplateError['refusal'] {
  try {
    planOf(template);
  } catch (error) {
    if (error instanceof UnsupportedTemplateError) return error.refusal;
    throw error;
  }
  throw new Error('the template was accepted');
}

export const resources = (Resources: Json): Json => ({ Resources });
export const queue = (Properties: Json = {}): Json => ({ Type: 'AWS::SQS::Queue', Properties });
export const trust = (Service: string): Json => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } }],
});
export const role = (Properties: Json = {}): Json => ({
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: trust('lambda.amazonaws.com'), ...Properties },
});
export const lambda = (Properties: Json = {}): Json => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: {
      S3Bucket: { 'Fn::Sub': `assets-\${AWS::AccountId}-\${AWS::Region}` },
      S3Key: 'code.zip',
    },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    ...Properties,
  },
});
export const table = (Properties: Json = {}): Json => ({
  Type: 'AWS::DynamoDB::GlobalTable',
  Properties: {
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    Replicas: [{ Region: { Ref: 'AWS::Region' } }],
    ...Properties,
  },
});
export const rule = (payload: Json = {}): Json => ({
  Type: 'AWS::IoT::TopicRule',
  Properties: {
    TopicRulePayload: {
      Sql: "SELECT * FROM 'a'",
      AwsIotSqlVersion: '2016-03-23',
      Actions: [{ Lambda: { FunctionArn: 'arn' } }],
      ...payload,
    },
  },
});
export const awsCall = (call: Json): Json => ({
  Type: 'Custom::AWS',
  Properties: { ServiceToken: 'token', Create: JSON.stringify(call) },
});
export const describeEndpoint = {
  service: 'IoT',
  action: 'describeEndpoint',
  parameters: { endpointType: 'iot:Data-ATS' },
  physicalResourceId: { id: 'x' },
};
