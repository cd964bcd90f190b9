import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { ownTopic } from '../../core/wire/topics.ts';
import { acknowledge } from './acknowledge.ts';

/** Receipts to every device. */
export function grantReceipts(role: Role): void {
  grantTopic(
    role,
    ownTopic('*', 'receipts'),
    'A receipt goes to whichever device sent the message; the wildcard is its name, and the rest of the topic is fixed.',
  );
}

/**
 * The right to publish on a topic.
 *
 * @param reason why a wildcard in it is right
 */
export function grantTopic(role: Role, topic: string, reason: string): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: ['iot:Publish'],
      resources: [
        Stack.of(role).formatArn({ service: 'iot', resource: 'topic', resourceName: topic }),
      ],
    }),
  );
  if (!topic.includes('*')) return;
  const arn = `arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:topic/${topic}`;
  acknowledge(role, `AwsSolutions-IAM5[Resource::${arn}]`, reason);
}
