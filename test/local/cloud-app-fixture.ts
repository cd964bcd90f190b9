import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as iot from 'aws-cdk-lib/aws-iot';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  PhysicalResourceId,
} from 'aws-cdk-lib/custom-resources';

/**
 * A bundle without the SDK, so that it needs no bundling: it writes one row per message and then
 * publishes on `answers/ID`. `fetch` gives an error for a lost answer, as the SDK does.
 */
export const handlerCode = `
const headers = (target) => ({
  authorization: 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=x',
  'x-amz-date': '20260101T000000Z',
  ...(target === undefined ? {} : { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.' + target }),
});
const call = async (url, target, body) => {
  const answer = await fetch(url, { method: 'POST', headers: headers(target), body });
  if (!answer.ok) throw new Error(answer.status + ' ' + await answer.text());
};
export const handler = async (event) => {
  for (const record of event.Records ?? [{ body: JSON.stringify(event) }]) {
    const { payload } = JSON.parse(record.body);
    const { id } = JSON.parse(Buffer.from(payload, 'base64').toString());
    const input = {
      TableName: process.env.TABLE, Key: { pk: { S: String(id) } },
      UpdateExpression: 'ADD tries :one', ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    await call(process.env.AWS_ENDPOINT_URL_DYNAMODB + '/', 'UpdateItem', JSON.stringify(input));
    await call(process.env.AWS_ENDPOINT_URL_IOT_DATA_PLANE + '/topics/answers%2F' + id + '?qos=1', undefined, 'done');
  }
};`;

/** A small app with what the project's own stacks are made of. */
export function synthesizeSample(outdir: string, code: string): void {
  const app = new App({
    outdir,
    builtinCloudFormationValidation: false,
    analyticsReporting: false,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  const state = new Stack(app, 'State');
  const table = new dynamodb.TableV2(state, 'Ledger', {
    partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    deletionProtection: true,
  });
  const stack = new Stack(app, 'Ingest');
  const dead = new sqs.Queue(stack, 'Dead', {
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  const queue = new sqs.Queue(stack, 'Queue', {
    enforceSSL: true,
    visibilityTimeout: Duration.seconds(180),
    deadLetterQueue: { queue: dead, maxReceiveCount: 2 },
  });
  const handler = new lambda.Function(stack, 'Handler', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromAsset(code),
    timeout: Duration.seconds(30),
    deadLetterQueue: dead,
    environment: { TABLE: table.tableName },
  });
  table.grantReadWriteData(handler);
  handler.addToRolePolicy(
    new iam.PolicyStatement({
      actions: ['iot:Publish'],
      resources: [
        stack.formatArn({ service: 'iot', resource: 'topic', resourceName: 'answers/*' }),
      ],
    }),
  );
  handler.addEventSource(new SqsEventSource(queue, { reportBatchItemFailures: true }));
  const role = new iam.Role(stack, 'RuleRole', {
    assumedBy: new iam.ServicePrincipal('iot.amazonaws.com'),
  });
  queue.grantSendMessages(role);
  const rule = (
    id: string,
    filter: string,
    actions: iot.CfnTopicRule.ActionProperty[],
  ): iot.CfnTopicRule =>
    new iot.CfnTopicRule(stack, id, {
      ruleName: id.toLowerCase(),
      topicRulePayload: {
        sql: `SELECT encode(*, 'base64') AS payload FROM '${filter}'`,
        awsIotSqlVersion: '2016-03-23',
        actions,
      },
    });
  rule('Queued', 'queued/+', [{ sqs: { queueUrl: queue.queueUrl, roleArn: role.roleArn } }]);
  const powerless = new iam.Role(stack, 'Powerless', {
    assumedBy: new iam.ServicePrincipal('iot.amazonaws.com'),
  });
  rule('PowerlessRule', 'powerless/+', [
    { sqs: { queueUrl: queue.queueUrl, roleArn: powerless.roleArn } },
  ]);
  const direct = rule('Direct', 'direct/+', [{ lambda: { functionArn: handler.functionArn } }]);
  rule('Forbidden', 'forbidden/+', [{ lambda: { functionArn: handler.functionArn } }]);
  handler.addPermission('Direct', {
    principal: new iam.ServicePrincipal('iot.amazonaws.com'),
    sourceArn: direct.attrArn,
    sourceAccount: stack.account,
  });
  new iot.CfnPolicy(stack, 'Device', {
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
    },
  });
  const endpoint = new AwsCustomResource(stack, 'Endpoint', {
    onUpdate: {
      service: 'IoT',
      action: 'describeEndpoint',
      parameters: { endpointType: 'iot:Data-ATS' },
      physicalResourceId: PhysicalResourceId.of('endpoint'),
    },
    policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: ['*'] }),
    installLatestAwsSdk: false,
  });
  new CfnOutput(stack, 'EndpointAddress', { value: endpoint.getResponseField('endpointAddress') });
  app.synth();
}
