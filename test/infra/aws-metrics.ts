/**
 * The metrics of AWS that alarms and the dashboard look at: name and dimensions as AWS's pages have
 * them. A wrong name deploys without a word, and the alarm is silent for ever.
 *
 * Pages of docs.aws.amazon.com, as they stood in 2026:
 * IoT: iot/latest/developerguide/metrics_dimensions; it names the dimensions, not their values
 * Lambda: lambda/latest/dg/monitoring-metrics-types
 * SQS: AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics
 * DynamoDB: amazondynamodb/latest/developerguide/metrics-dimensions
 * SNS: sns/latest/dg/sns-monitoring-using-cloudwatch
 */
const ACTION = ['ActionType', 'RuleName'];
const RULE = ['RuleName'];
const FUNCTION = ['FunctionName'];
const QUEUE = ['QueueName'];
const TABLE = ['TableName'];
const OPERATION = ['Operation', 'TableName'];
const TOPIC = ['TopicName'];

/** Dimensions by name, by namespace. */
export const AWS_METRICS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'AWS/IoT': {
    TopicMatch: RULE,
    RuleNotFound: RULE,
    Success: ACTION,
    Failure: ACTION,
    ErrorActionSuccess: ACTION,
    ErrorActionFailure: ACTION,
    'PublishIn.Throttle': ['Protocol'],
  },
  'AWS/Lambda': {
    Invocations: FUNCTION,
    Errors: FUNCTION,
    Throttles: FUNCTION,
    Duration: FUNCTION,
    ConcurrentExecutions: FUNCTION,
    DeadLetterErrors: FUNCTION,
    AsyncEventsDropped: FUNCTION,
  },
  'AWS/SQS': {
    ApproximateAgeOfOldestMessage: QUEUE,
    ApproximateNumberOfMessagesVisible: QUEUE,
    ApproximateNumberOfMessagesNotVisible: QUEUE,
    NumberOfMessagesSent: QUEUE,
    NumberOfMessagesReceived: QUEUE,
    NumberOfEmptyReceives: QUEUE,
  },
  'AWS/DynamoDB': {
    ConsumedReadCapacityUnits: TABLE,
    ConsumedWriteCapacityUnits: TABLE,
    ThrottledRequests: OPERATION,
    SystemErrors: OPERATION,
    SuccessfulRequestLatency: OPERATION,
  },
  'AWS/SNS': {
    NumberOfNotificationsDelivered: TOPIC,
    NumberOfNotificationsFailed: TOPIC,
  },
};
