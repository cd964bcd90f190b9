/** Physical names: what `Ref` and `Fn::GetAtt` give for each type of resource. */
import { arnOf, type Environment, queueUrl, roleArn } from './account.ts';
import type { ResourceType } from './schema.ts';

/** Properties that give a resource a name of its own. */
export const nameProperties: Partial<Record<ResourceType, string>> = {
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::IoT::TopicRule': 'RuleName',
  'AWS::IoT::Policy': 'PolicyName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::SNS::Topic': 'TopicName',
};

/** The name of a resource that has no name of its own. */
export function generatedName(type: ResourceType, stack: string, logicalId: string): string {
  // The name of a topic rule may hold letters, digits and underscores only.
  if (type === 'AWS::IoT::TopicRule')
    return `${stack}_${logicalId}`.replaceAll(/[^0-9A-Za-z_]/g, '_');
  return `${stack}-${logicalId}`;
}

/** What `Ref` gives. */
export function referenceOf(environment: Environment, type: ResourceType, name: string): string {
  if (type === 'AWS::SQS::Queue') return queueUrl(environment, name);
  return type === 'AWS::SNS::Topic' ? arnOf(environment, 'sns', name) : name;
}

/** The attributes that `Fn::GetAtt` gives, by name; `rolePath` is the path of a role. */
export function attributesOf(
  environment: Environment,
  type: ResourceType,
  name: string,
  rolePath: string,
): Readonly<Record<string, string>> {
  switch (type) {
    case 'AWS::DynamoDB::GlobalTable':
      return { Arn: arnOf(environment, 'dynamodb', `table/${name}`) };
    case 'AWS::SQS::Queue':
      return {
        Arn: arnOf(environment, 'sqs', name),
        QueueName: name,
        QueueUrl: queueUrl(environment, name),
      };
    case 'AWS::Lambda::Function':
      return { Arn: arnOf(environment, 'lambda', `function:${name}`) };
    case 'AWS::IAM::Role':
      return { Arn: roleArn(environment, rolePath, name) };
    case 'AWS::Logs::LogGroup':
      return { Arn: arnOf(environment, 'logs', `log-group:${name}:*`) };
    case 'AWS::IoT::TopicRule':
      return { Arn: arnOf(environment, 'iot', `rule/${name}`) };
    case 'AWS::IoT::Policy':
      return { Arn: arnOf(environment, 'iot', `policy/${name}`) };
    case 'AWS::SNS::Topic':
      return { TopicArn: arnOf(environment, 'sns', name), TopicName: name };
    case 'AWS::KMS::Key':
      return { Arn: arnOf(environment, 'kms', `key/${name}`), KeyId: name };
    case 'AWS::CloudWatch::Alarm':
      return { Arn: arnOf(environment, 'cloudwatch', `alarm:${name}`) };
    case 'AWS::CloudWatch::Dashboard':
    case 'AWS::SNS::TopicPolicy':
    case 'AWS::SNS::Subscription':
    case 'AWS::SQS::QueuePolicy':
    case 'AWS::Lambda::EventSourceMapping':
    case 'AWS::Lambda::EventInvokeConfig':
    case 'AWS::Lambda::Permission':
    case 'AWS::IAM::Policy':
    case 'Custom::AWS':
    case 'AWS::CDK::Metadata':
      return {};
  }
}
