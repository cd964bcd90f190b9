import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { buildApp } from '../../lib/build-app.ts';
import { acknowledge } from '../../lib/constructs/acknowledge.ts';
import config from '../../tollbridge.config.ts';
import { testApp, threeConfig } from './templates.ts';

describe('cdk-nag', () => {
  it('finds nothing in the bridge as it is', () => {
    const { app } = buildApp(checkConfig(config), testApp());
    expect(() => app.synth()).not.toThrow();
  });

  it('finds nothing in a bridge with a route of each guarantee', () => {
    const { app } = buildApp(checkConfig(threeConfig), testApp());
    expect(() => app.synth()).not.toThrow();
  });

  it('stops synthesis at each finding that nobody has acknowledged', () => {
    const { app } = buildApp(checkConfig(config), testApp());
    const queue = new Queue(new Stack(app, 'Careless'), 'Open');
    acknowledge(queue, 'AwsSolutions-SQS3', 'Nothing is ever sent to the queue of a test.');
    const report = messageOf(() => app.synth());
    expect(report).toContain('AwsSolutions-SQS4');
    expect(report).not.toContain('AwsSolutions-SQS3');
  });

  it('accepts a wildcard for one function and not for its neighbour', () => {
    const { app, ingest } = buildApp(checkConfig(config), testApp());
    const role = new Role(ingest, 'Stranger', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['iot:Publish'],
        resources: [
          ingest.formatArn({
            service: 'iot',
            resource: 'topic',
            resourceName: 'tollbridge/*/receipts',
          }),
        ],
      }),
    );
    expect(messageOf(() => app.synth())).toContain('AwsSolutions-IAM5');
  });
});

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return 'nothing was thrown';
}
