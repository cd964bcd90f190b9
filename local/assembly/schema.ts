/**
 * The resource types that the local cloud runs, each as a strict object: a property that is not
 * listed is refused, because ignoring it in silence would test something else than what is deployed.
 * `noMeaning` marks the properties that are accepted and change nothing here, each with the reason.
 */
import * as z from 'zod';
import {
  iamPolicy,
  identityDocument,
  keyManagement,
  noMeaning,
  oneOrMany,
  role,
  tags,
} from './schema-iam.ts';

/** CloudFormation takes numbers and switches as text too; the CDK writes them as they are. */
const seconds = z.int().min(0);

// --- SQS -------------------------------------------------------------------------------------

const queue = z.strictObject({
  QueueName: z.string().optional(),
  VisibilityTimeout: seconds.max(43_200).default(30),
  MessageRetentionPeriod: seconds.min(60).max(1_209_600).default(345_600),
  MaximumMessageSize: z.int().min(1024).max(1_048_576).default(1_048_576),
  RedrivePolicy: z
    .strictObject({
      deadLetterTargetArn: z.string(),
      maxReceiveCount: z.coerce.number().int().min(1),
    })
    .optional(),
  RedriveAllowPolicy: z
    .union([
      z.strictObject({ redrivePermission: z.enum(['allowAll', 'denyAll']) }),
      z.strictObject({
        redrivePermission: z.literal('byQueue'),
        sourceQueueArns: z.array(z.string()),
      }),
    ])
    .optional(),
  DelaySeconds: z.literal(0, { error: 'only 0: deliveries are not held back' }).optional(),
  FifoQueue: z.literal(false, { error: 'only standard queues' }).optional(),
  ReceiveMessageWaitTimeSeconds: noMeaning('a poller is told of a message as it arrives'),
  SqsManagedSseEnabled: keyManagement,
  KmsMasterKeyId: keyManagement,
  KmsDataKeyReusePeriodSeconds: keyManagement,
  Tags: tags,
});

/**
 * The one statement that has no meaning here: calls inside this process use no network, so none can
 * come over plain HTTP. A queue policy that grants or denies anything else is refused.
 */
const secureTransportOnly = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Deny', { error: 'only the Deny of aws:SecureTransport=false (enforceSSL)' }),
  Action: oneOrMany,
  Principal: z.unknown(),
  Resource: oneOrMany,
  Condition: z.strictObject({
    Bool: z.strictObject({
      'aws:SecureTransport': z.union([z.literal('false'), z.literal(false)]),
    }),
  }),
});
const queuePolicy = z.strictObject({
  Queues: z.array(z.string()),
  PolicyDocument: z.strictObject({
    Version: z.string().optional(),
    Statement: z.array(secureTransportOnly),
  }),
});

// --- Lambda ----------------------------------------------------------------------------------

const lambdaFunction = z.strictObject({
  FunctionName: z.string().optional(),
  Code: z.strictObject({
    S3Bucket: z.string().describe('no meaning here: the asset folder is read, not a bucket'),
    S3Key: z.string(),
  }),
  Handler: z.string().regex(/^[^\s.][^\s]*\.[^\s.]+$/, 'FILE.FUNCTION'),
  Runtime: z
    .string()
    .regex(/^nodejs\d+\.x$/, 'a nodejs runtime; it is run by the Node.js of this machine'),
  Role: z.string(),
  PackageType: z.literal('Zip').optional(),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
  MemorySize: z.int().min(128).max(10_240).default(128),
  Timeout: z.int().min(1).max(900).default(3),
  DeadLetterConfig: z.strictObject({ TargetArn: z.string() }).optional(),
  LoggingConfig: z
    .strictObject({
      LogGroup: z.string().optional(),
      LogFormat: z.enum(['JSON', 'Text']).optional(),
      ApplicationLogLevel: z.string().optional(),
      SystemLogLevel: noMeaning('there are no platform logs'),
    })
    .optional(),
  ReservedConcurrentExecutions: z
    .int()
    .min(1, '1 or more: with 0 AWS would never run the function')
    .optional(),
  Architectures: noMeaning('the bundle is JavaScript and runs on the processor of this machine'),
  Description: noMeaning('text for people'),
  EphemeralStorage: noMeaning('/tmp is that of this machine'),
  KmsKeyArn: keyManagement,
  RecursiveLoop: noMeaning('loops are not watched for'),
  RuntimeManagementConfig: noMeaning('the Node.js of this machine runs it'),
  TracingConfig: noMeaning('nothing is traced'),
  Tags: tags,
});

const eventSourceMapping = z
  .strictObject({
    EventSourceArn: z.string(),
    FunctionName: z.string(),
    BatchSize: z.int().min(1).max(10_000).default(10),
    MaximumBatchingWindowInSeconds: z.int().min(0).max(300).default(0),
    FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
    ScalingConfig: z
      .strictObject({ MaximumConcurrency: z.int().min(2).max(1000).optional() })
      .optional(),
    Enabled: z.boolean().default(true),
    MetricsConfig: noMeaning('there are no metrics of AWS'),
    Tags: tags,
  })
  .refine((mapping) => mapping.BatchSize <= 10 || mapping.MaximumBatchingWindowInSeconds >= 1, {
    error: 'a BatchSize above 10 needs a MaximumBatchingWindowInSeconds of 1 or more, as on AWS',
  });

const eventInvokeConfig = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST'),
  MaximumRetryAttempts: z.int().min(0).max(2).default(2),
  MaximumEventAgeInSeconds: z.int().min(60).max(21_600).default(21_600),
  DestinationConfig: z
    .strictObject({ OnFailure: z.strictObject({ Destination: z.string() }).optional() })
    .optional(),
});

const permission = z.strictObject({
  Action: z.literal('lambda:InvokeFunction'),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

// --- DynamoDB --------------------------------------------------------------------------------

const keySchema = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const globalTable = z.strictObject({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema: keySchema,
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
        WarmThroughput: noMeaning('capacity is that of this machine'),
        WriteOnDemandThroughputSettings: noMeaning('capacity is that of this machine'),
      }),
    )
    .default([]),
  Replicas: z
    .array(
      z.strictObject({
        Region: z.string(),
        ContributorInsightsSpecification: noMeaning('access is not counted'),
        DeletionProtectionEnabled: noMeaning('tables here are deleted with the data folder'),
        GlobalSecondaryIndexes: noMeaning('only capacity and insights can stand in it'),
        PointInTimeRecoverySpecification: noMeaning('there is no backup of a local table'),
        SSESpecification: keyManagement,
        TableClass: noMeaning('it sets a price'),
        Tags: tags,
      }),
    )
    .length(1, 'exactly one replica: there is one Region here'),
  SSESpecification: keyManagement,
  TimeToLiveSpecification: noMeaning('nothing expires by itself here, and no code may rely on it'),
  WarmThroughput: noMeaning('capacity is that of this machine'),
  WriteOnDemandThroughputSettings: noMeaning('capacity is that of this machine'),
});

// --- IoT -------------------------------------------------------------------------------------

const ruleAction = z.union(
  [
    z.strictObject({
      Sqs: z.strictObject({
        QueueUrl: z.string(),
        RoleArn: z.string(),
        UseBase64: z.literal(false).optional(),
      }),
    }),
    z.strictObject({ Lambda: z.strictObject({ FunctionArn: z.string() }) }),
  ],
  { error: 'one of Sqs {QueueUrl, RoleArn, UseBase64: false} and Lambda {FunctionArn}' },
);

const topicRule = z.strictObject({
  RuleName: z.string().optional(),
  TopicRulePayload: z.strictObject({
    Sql: z.string(),
    /** Left out it means 2015-10-08, which lacks most functions: it must be said. */
    AwsIotSqlVersion: z.literal('2016-03-23'),
    Actions: z.array(ruleAction).min(1).max(10),
    ErrorAction: ruleAction.optional(),
    RuleDisabled: z.boolean().default(false),
    Description: noMeaning('text for people'),
  }),
  Tags: tags,
});

const iotPolicy = z.strictObject({
  PolicyName: z.string().optional(),
  PolicyDocument: identityDocument,
  Tags: tags,
});

// --- the CDK's own ---------------------------------------------------------------------------

const awsCall = z.strictObject({
  service: z.enum(['IoT', 'iot', '@aws-sdk/client-iot'], { error: 'the service IoT' }),
  action: z.enum(['describeEndpoint', 'DescribeEndpoint', 'DescribeEndpointCommand'], {
    error: 'the action describeEndpoint',
  }),
  parameters: z.strictObject({
    endpointType: z.literal('iot:Data-ATS', { error: 'endpointType "iot:Data-ATS"' }),
  }),
  physicalResourceId: z
    .union([z.strictObject({ id: z.string() }), z.strictObject({ responsePath: z.string() })])
    .optional(),
  outputPaths: noMeaning('the one field is given'),
  logApiResponseData: noMeaning('no function runs for it'),
});
/** The calls are JSON text inside the template. */
const callText = z.string().transform((text, context) => {
  try {
    return awsCall.parse(JSON.parse(text));
  } catch (cause) {
    const message = cause instanceof z.ZodError ? z.prettifyError(cause) : `not JSON: ${text}`;
    context.addIssue({
      code: 'custom',
      message: `a call to AWS that is not answered here: ${message}`,
    });
    return z.NEVER;
  }
});
const customAws = z
  .strictObject({
    ServiceToken: z.string(),
    Create: callText.optional(),
    Update: callText.optional(),
    InstallLatestAwsSdk: noMeaning('no function runs for it'),
    ServiceTimeout: noMeaning('it is answered at once'),
  })
  .refine((custom) => custom.Create !== undefined || custom.Update !== undefined, {
    error: 'Create or Update must be given',
  });

// --- what only watches -----------------------------------------------------------------------

/**
 * Types that watch the others, and that nothing which runs depends on. There are no metrics of AWS
 * here, so none of them is run and every property is without meaning; the plan names each.
 */
const watchers = {
  'AWS::CloudWatch::Alarm': z.looseObject({}),
  'AWS::CloudWatch::Dashboard': z.looseObject({}),
  'AWS::SNS::Topic': z.looseObject({}),
  'AWS::SNS::TopicPolicy': z.looseObject({}),
  'AWS::SNS::Subscription': z.looseObject({}),
  /** Of the topic; keys of what runs here are without meaning as well. */
  'AWS::KMS::Key': z.looseObject({}),
} as const;

/** Every type that is accepted, by name. */
export const resourceTypes = {
  'AWS::DynamoDB::GlobalTable': globalTable,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::EventInvokeConfig': eventInvokeConfig,
  'AWS::Lambda::Permission': permission,
  'AWS::IAM::Role': role,
  'AWS::IAM::Policy': iamPolicy,
  /** Who writes a log group is decided by the function; what is logged becomes `log` events. */
  'AWS::Logs::LogGroup': z.strictObject({
    LogGroupName: z.string().optional(),
    RetentionInDays: noMeaning('log lines are events here and are not kept'),
    KmsKeyId: keyManagement,
    LogGroupClass: noMeaning('it sets a price'),
    Tags: tags,
  }),
  'AWS::IoT::TopicRule': topicRule,
  'AWS::IoT::Policy': iotPolicy,
  'Custom::AWS': customAws,
  /** Tells AWS which constructs were used. */
  'AWS::CDK::Metadata': z.looseObject({}),
  ...watchers,
} as const;

export type ResourceType = keyof typeof resourceTypes;
export type PropertiesOf<Type extends ResourceType> = z.infer<(typeof resourceTypes)[Type]>;

/** Whether a resource only watches, and is not run here. */
export function isWatcher(type: ResourceType): boolean {
  return Object.hasOwn(watchers, type);
}

export function isResourceType(type: string): type is ResourceType {
  return Object.hasOwn(resourceTypes, type);
}
