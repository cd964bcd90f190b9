import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  DEAD_LETTER_RETENTION_DAYS,
  QUEUE_RECEIVES_MAX,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from '../../core/base/limits.ts';
import { type Bridge, forwardFilter, type Route, ruleName } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { RULE_SQL_VERSION, ruleSql } from '../../core/message/envelope.ts';
import { BridgeFunction } from './bridge-function.ts';
import { grantReceipts, grantTopic } from './grant-topic.ts';
import { validateMessageLifetime } from './message-lifetime.ts';

/**
 * AWS Lambda allows 4 KB for all variables together, and measures them as one JSON text, in which
 * each quote of a route takes two bytes (github-aws-runners/terraform-aws-github-runner#3594). The
 * other ones need less than 1 KB.
 */
const ROUTE_BYTES_MAX = 3_072;

export interface RouteIngestProps {
  readonly bridge: Bridge;
  readonly route: Route;
  /** The table of the route's guarantee. */
  readonly messages: TableV2;
  readonly quarantine: TableV2;
  /** Host name of the IoT data plane. */
  readonly dataEndpoint: string;
}

/** The way of a message from the topic to its table, for one route, with its fallback (I2). */
export class RouteIngest extends Construct {
  readonly ruleName: string;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly handler: LambdaFunction;
  readonly rule: CfnTopicRule;

  constructor(scope: Construct, id: string, props: RouteIngestProps) {
    super(scope, id);
    const { bridge, route } = props;
    this.ruleName = ruleName(bridge, route);
    this.deadLetters = deadLetterQueue(this);
    this.queue = routeQueue(this, route, this.deadLetters);
    const ingest = ingestFunction(this, props, this.deadLetters);
    this.handler = ingest.handler;
    this.handler.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: route.batch.messages,
        ...(route.batch.waitSeconds > 0 && {
          maxBatchingWindow: Duration.seconds(route.batch.waitSeconds),
        }),
        // One bad delivery must not hold up the charges beside it.
        reportBatchItemFailures: true,
      }),
    );
    grantTables(ingest.role, props);
    grantPublish(ingest.role, route);
    this.rule = topicRule(this, route);
    validateMessageLifetime(this, this);
  }
}

function deadLetterQueue(scope: Construct): Queue {
  return new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(DEAD_LETTER_RETENTION_DAYS),
    // A charge in it may be nowhere else: taking a route out must not delete it.
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

function routeQueue(scope: Construct, { batch }: Route, deadLetters: Queue): Queue {
  return new Queue(scope, 'Queue', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    // What waits for its batch is invisible already (Lambda, "Using Lambda with Amazon SQS").
    visibilityTimeout: Duration.seconds(QUEUE_VISIBILITY_SECONDS + batch.waitSeconds),
    retentionPeriod: Duration.days(QUEUE_RETENTION_DAYS),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: QUEUE_RECEIVES_MAX },
    // Charges that wait in it when the route is taken out can still be moved to another queue.
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

function ingestFunction(
  scope: Construct,
  props: RouteIngestProps,
  deadLetters: Queue,
): BridgeFunction {
  const { route, messages, quarantine, dataEndpoint } = props;
  return new BridgeFunction(scope, 'Ingest', {
    entry: `ingest/${route.guarantee}.ts`,
    description: `Books the deliveries of the route ${route.name}`,
    deadLetters,
    environment: {
      // The first dimension of its metrics: routes of two bridges may have the same name.
      POWERTOOLS_SERVICE_NAME: props.bridge.name,
      ROUTE: routeVariable(route),
      MESSAGES_TABLE: messages.tableName,
      QUARANTINE_TABLE: quarantine.tableName,
      // Read by the AWS SDK itself: the function is the same against any data plane.
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: `https://${dataEndpoint}`,
    },
  });
}

function routeVariable(route: Route): string {
  const json = JSON.stringify(route);
  const bytes = Buffer.byteLength(JSON.stringify(json));
  if (bytes < ROUTE_BYTES_MAX) return json;
  throw new Error(
    `routes.${route.name} takes ${bytes} bytes as JSON in a variable of the function, each quote ` +
      `being escaped; fewer than ${ROUTE_BYTES_MAX} are allowed. Shorten its topic, its paths or trustTopicLevel.`,
  );
}

/** Written out, because the tables' own grants would open their indexes and more actions. */
function grantTables(role: Role, { route, messages, quarantine }: RouteIngestProps): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: [...guaranteeOf(route).tableActions],
      resources: [messages.tableArn],
    }),
  );
  role.addToPolicy(
    new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [quarantine.tableArn],
    }),
  );
}

/** Receipts to every device, and the forward; on no topic that a route listens on. */
function grantPublish(role: Role, route: Route): void {
  if (route.receipts !== 'none') grantReceipts(role);
  if (route.forward !== null) {
    grantTopic(
      role,
      forwardFilter(route, route.forward).replaceAll(/[+#]/g, '*'),
      'A forward names its device in the topic; checkConfig has made sure that no route listens there.',
    );
  }
}

/**
 * The rule, with one path as its action and the other as its error action. Its ARN is made from its
 * name, for the rule needs what in turn names the rule.
 */
function topicRule(ingest: RouteIngest, route: Route): CfnTopicRule {
  const stack = Stack.of(ingest);
  const arn = stack.formatArn({
    service: 'iot',
    resource: 'rule',
    resourceName: ingest.ruleName,
  });
  const queueAction: CfnTopicRule.ActionProperty = {
    sqs: {
      queueUrl: ingest.queue.queueUrl,
      roleArn: sendRole(ingest, arn).roleArn,
      useBase64: false,
    },
  };
  const functionAction: CfnTopicRule.ActionProperty = {
    lambda: { functionArn: ingest.handler.functionArn },
  };
  const queueFirst = route.feed === 'queue';
  const rule = new CfnTopicRule(ingest, 'Rule', {
    ruleName: ingest.ruleName,
    topicRulePayload: {
      description: `Hands messages on ${route.topic} to the bridge`,
      sql: ruleSql(route.topic),
      awsIotSqlVersion: RULE_SQL_VERSION,
      actions: [queueFirst ? queueAction : functionAction],
      errorAction: queueFirst ? functionAction : queueAction,
      ruleDisabled: false,
    },
  });
  // Without it the rule could fire before the function lets it in, and charges would be lost.
  rule.addResourceDependency(invokePermission(ingest, arn));
  return rule;
}

/** Both conditions, so that no other rule or account can have AWS IoT act for it. */
function sendRole(ingest: RouteIngest, ruleArn: string): Role {
  return new Role(ingest, 'RuleRole', {
    assumedBy: new ServicePrincipal('iot.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(ingest).account },
        ArnEquals: { 'aws:SourceArn': ruleArn },
      },
    }),
    // Inline, so that the right exists as soon as the role does.
    inlinePolicies: {
      Send: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['sqs:SendMessage'],
            resources: [ingest.queue.queueArn],
          }),
        ],
      }),
    },
  });
}

function invokePermission(ingest: RouteIngest, ruleArn: string): CfnPermission {
  return new CfnPermission(ingest, 'RulePermission', {
    action: 'lambda:InvokeFunction',
    functionName: ingest.handler.functionArn,
    principal: 'iot.amazonaws.com',
    sourceArn: ruleArn,
    sourceAccount: Stack.of(ingest).account,
  });
}
