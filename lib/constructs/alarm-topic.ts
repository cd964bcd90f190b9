import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface AlarmTopicProps {
  /** The bridge's name, which every alarm's name begins with. */
  readonly bridge: string;
  readonly email: string | null;
}

/**
 * The one topic of all alarms. A key of our own, because CloudWatch cannot publish to a topic under
 * `alias/aws/sns`: nobody can let it into the policy of a key that AWS manages (Amazon SNS, "Enable
 * compatibility between event sources from AWS services and encrypted topics").
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { bridge, email }: AlarmTopicProps) {
    super(scope, id);
    const masterKey = new Key(this, 'Key', {
      description: `Encrypts what the alarms of ${bridge} say`,
      enableKeyRotation: true,
      // Nothing is kept under it: messages that are on their way for minutes are all it protects.
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(7),
    });
    this.topic = new Topic(this, 'Topic', { masterKey, enforceSSL: true });
    masterKey.addToResourcePolicy(
      forAlarms(this, bridge, ['kms:Decrypt', 'kms:GenerateDataKey*'], '*'),
    );
    this.topic.addToResourcePolicy(forAlarms(this, bridge, ['sns:Publish'], this.topic.topicArn));
    if (email !== null) this.topic.addSubscription(new EmailSubscription(email));
  }
}

/** For CloudWatch, on behalf of this bridge's alarms in this account alone. */
function forAlarms(
  scope: Construct,
  bridge: string,
  actions: string[],
  resource: string,
): PolicyStatement {
  const stack = Stack.of(scope);
  const alarms = stack.formatArn({
    service: 'cloudwatch',
    // With a colon between: an alarm's ARN has no slash.
    resource: `alarm:${bridge}-*`,
  });
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
    actions,
    resources: [resource],
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: { 'aws:SourceArn': alarms },
    },
  });
}
