/**
 * The plan: what the local cloud has to make for an assembly, in its own words. Relations between
 * resources that AWS checks at deployment (a role's trust, a queue's right to a dead-letter queue, a
 * function's right to read its queue) are checked here, so that nothing runs which AWS would refuse.
 */
import type { PolicyDocument, RuleAction, TopicRule } from '../contracts.ts';
import { arnOf, type Environment, queueUrl, roleArn } from './account.ts';
import type { Assembly } from './read-assembly.ts';
import {
  ofType,
  type Resolved,
  type ResolvedAssembly,
  type ResolveOptions,
  refusal,
  resolveAssembly,
} from './resolve.ts';
import { isWatcher, type PropertiesOf, type ResourceType } from './schema.ts';

export interface TablePlan {
  readonly stack: string;
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly attributes: PropertiesOf<'AWS::DynamoDB::GlobalTable'>['AttributeDefinitions'];
  readonly keySchema: PropertiesOf<'AWS::DynamoDB::GlobalTable'>['KeySchema'];
  readonly indexes: PropertiesOf<'AWS::DynamoDB::GlobalTable'>['GlobalSecondaryIndexes'];
}

interface QueuePlan {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly maximumBytes: number;
  readonly redrive:
    | { readonly deadLetterArn: string; readonly maxReceiveCount: number }
    | undefined;
}

export interface FunctionPlan {
  readonly stack: string;
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** Folder of the asset. */
  readonly folder: string;
  readonly handler: string;
  readonly runtime: string;
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroupName: string;
  readonly logFormat: 'JSON' | 'Text';
  readonly logLevel: string | undefined;
  readonly reservedConcurrency: number | undefined;
  readonly deadLetterArn: string | undefined;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onFailureArn: string | undefined;
}

export interface MappingPlan {
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsItemFailures: boolean;
  readonly maximumConcurrency: number | undefined;
}

interface RolePlan {
  readonly name: string;
  readonly arn: string;
  /** The services that may assume it, e.g. `lambda.amazonaws.com`. */
  readonly trusts: readonly string[];
  readonly documents: readonly PolicyDocument[];
}

export interface PermissionPlan {
  readonly functionName: string;
  readonly principal: string;
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string | undefined;
}

/** What is deployed with the rest and is not run here. */
interface NotRun {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: ResourceType;
  readonly name: string;
}

export interface CloudPlan {
  readonly environment: Environment;
  readonly tables: readonly TablePlan[];
  readonly queues: readonly QueuePlan[];
  readonly functions: readonly FunctionPlan[];
  readonly mappings: readonly MappingPlan[];
  readonly roles: ReadonlyMap<string, RolePlan>;
  readonly permissions: readonly PermissionPlan[];
  readonly rules: readonly TopicRule[];
  readonly iotPolicies: readonly { readonly name: string; readonly document: PolicyDocument }[];
  readonly outputs: ResolvedAssembly['outputs'];
  /** Every resource, for operators who ask. */
  readonly resources: readonly NotRun[];
  /** Alarms, their topic and the dashboard: there are no metrics of AWS here. */
  readonly notRun: readonly NotRun[];
}

/** Resolves and checks the assembly, and says what is to be made. */
export function planCloud(assembly: Assembly, options: ResolveOptions): CloudPlan {
  const resolved = resolveAssembly(assembly, options);
  const { environment } = assembly;
  const roles = planRoles(resolved, environment);
  const queues = ofType(resolved, 'AWS::SQS::Queue').map((queue) => planQueue(queue, environment));
  checkRedrives(resolved, queues);
  return {
    environment,
    tables: ofType(resolved, 'AWS::DynamoDB::GlobalTable').map((table) =>
      planTable(table, environment),
    ),
    queues,
    functions: ofType(resolved, 'AWS::Lambda::Function').map((one) =>
      planFunction(one, resolved, environment, roles),
    ),
    mappings: ofType(resolved, 'AWS::Lambda::EventSourceMapping')
      .filter((mapping) => mapping.properties.Enabled)
      .map(({ properties }) => ({
        queueArn: properties.EventSourceArn,
        functionName: functionNameOf(properties.FunctionName),
        batchSize: properties.BatchSize,
        windowSeconds: properties.MaximumBatchingWindowInSeconds,
        reportsItemFailures: properties.FunctionResponseTypes.length > 0,
        maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency,
      })),
    roles,
    permissions: ofType(resolved, 'AWS::Lambda::Permission').map(({ properties }) => ({
      functionName: functionNameOf(properties.FunctionName),
      principal: properties.Principal,
      sourceArn: properties.SourceArn,
      sourceAccount: properties.SourceAccount,
    })),
    rules: ofType(resolved, 'AWS::IoT::TopicRule')
      .filter((rule) => !rule.properties.TopicRulePayload.RuleDisabled)
      .map((rule) => planRule(rule, environment)),
    iotPolicies: ofType(resolved, 'AWS::IoT::Policy').map((policy) => ({
      name: policy.physicalName,
      document: asDocument(policy.properties.PolicyDocument),
    })),
    outputs: resolved.outputs,
    resources: resolved.resources.map(({ stack, logicalId, type, physicalName: name }) => {
      return { stack: stack.name, logicalId, type, name };
    }),
    notRun: resolved.resources
      .filter(({ type }) => isWatcher(type))
      .map(({ stack, logicalId, type, physicalName: name }) => {
        return { stack: stack.name, logicalId, type, name };
      }),
  };
}

function planTable(
  table: Resolved<'AWS::DynamoDB::GlobalTable'>,
  environment: Environment,
): TablePlan {
  return {
    stack: table.stack.name,
    logicalId: table.logicalId,
    name: table.physicalName,
    arn: arnOf(environment, 'dynamodb', `table/${table.physicalName}`),
    attributes: table.properties.AttributeDefinitions,
    keySchema: table.properties.KeySchema,
    indexes: table.properties.GlobalSecondaryIndexes,
  };
}

function planQueue(queue: Resolved<'AWS::SQS::Queue'>, environment: Environment): QueuePlan {
  const { properties, physicalName: name } = queue;
  const redrive = properties.RedrivePolicy;
  return {
    name,
    arn: arnOf(environment, 'sqs', name),
    url: queueUrl(environment, name),
    visibilitySeconds: properties.VisibilityTimeout,
    retentionSeconds: properties.MessageRetentionPeriod,
    maximumBytes: properties.MaximumMessageSize,
    redrive:
      redrive === undefined
        ? undefined
        : { deadLetterArn: redrive.deadLetterTargetArn, maxReceiveCount: redrive.maxReceiveCount },
  };
}

/** A dead-letter queue must exist, and may say which queues it serves. */
function checkRedrives(resolved: ResolvedAssembly, queues: readonly QueuePlan[]): void {
  const resources = ofType(resolved, 'AWS::SQS::Queue');
  for (const [index, resource] of resources.entries()) {
    const source = queues[index];
    if (source?.redrive === undefined) continue;
    const { deadLetterArn } = source.redrive;
    const target = resources[queues.findIndex((queue) => queue.arn === deadLetterArn)];
    if (target === undefined) {
      throw refusal(
        resource.stack,
        resource.logicalId,
        `the dead-letter queue ${deadLetterArn}`,
        'queues of the assembly',
      );
    }
    const allow = target.properties.RedriveAllowPolicy;
    const isAllowed =
      allow === undefined ||
      allow.redrivePermission === 'allowAll' ||
      (allow.redrivePermission === 'byQueue' && allow.sourceQueueArns.includes(source.arn));
    if (isAllowed) continue;
    throw refusal(
      resource.stack,
      resource.logicalId,
      `a dead-letter queue whose RedriveAllowPolicy leaves ${source.arn} out`,
      'a RedriveAllowPolicy that names the source queue',
    );
  }
}

function planFunction(
  resource: Resolved<'AWS::Lambda::Function'>,
  resolved: ResolvedAssembly,
  environment: Environment,
  roles: ReadonlyMap<string, RolePlan>,
): FunctionPlan {
  const { properties, stack, logicalId, physicalName: name } = resource;
  const folder = stack.assets.get(properties.Code.S3Key);
  if (folder === undefined) {
    throw refusal(
      stack,
      logicalId,
      `code under the key "${properties.Code.S3Key}"`,
      'zip assets of the assembly',
    );
  }
  if (roles.get(properties.Role)?.trusts.includes('lambda.amazonaws.com') !== true) {
    throw refusal(
      stack,
      logicalId,
      `the role ${properties.Role}`,
      'roles of the assembly that lambda.amazonaws.com may assume',
    );
  }
  const logging = properties.LoggingConfig;
  const asyncConfig = ofType(resolved, 'AWS::Lambda::EventInvokeConfig').find(
    (config) => functionNameOf(config.properties.FunctionName) === name,
  )?.properties;
  return {
    stack: stack.name,
    logicalId,
    name,
    arn: arnOf(environment, 'lambda', `function:${name}`),
    roleArn: properties.Role,
    folder,
    handler: properties.Handler,
    runtime: properties.Runtime,
    memoryMegabytes: properties.MemorySize,
    timeoutSeconds: properties.Timeout,
    environment: properties.Environment?.Variables ?? {},
    logGroupName: logging?.LogGroup ?? `/aws/lambda/${name}`,
    logFormat: logging?.LogFormat ?? 'Text',
    logLevel: logging?.ApplicationLogLevel,
    reservedConcurrency: properties.ReservedConcurrentExecutions,
    deadLetterArn: properties.DeadLetterConfig?.TargetArn,
    maximumRetryAttempts: asyncConfig?.MaximumRetryAttempts ?? 2,
    maximumEventAgeSeconds: asyncConfig?.MaximumEventAgeInSeconds ?? 21_600,
    onFailureArn: asyncConfig?.DestinationConfig?.OnFailure?.Destination,
  };
}

function planRoles(
  resolved: ResolvedAssembly,
  environment: Environment,
): ReadonlyMap<string, RolePlan> {
  const policies = ofType(resolved, 'AWS::IAM::Policy');
  return new Map(
    ofType(resolved, 'AWS::IAM::Role').map((role) => {
      const { properties, physicalName: name } = role;
      const arn = roleArn(environment, properties.Path, name);
      const attached = policies.filter((policy) => policy.properties.Roles.includes(name));
      const documents = [
        ...properties.Policies.map((policy) => policy.PolicyDocument),
        ...attached.map((policy) => policy.properties.PolicyDocument),
      ].map(asDocument);
      const trusts = properties.AssumeRolePolicyDocument.Statement.flatMap(
        (statement) => statement.Principal.Service,
      );
      return [arn, { name, arn, trusts, documents }] as const;
    }),
  );
}

function planRule(rule: Resolved<'AWS::IoT::TopicRule'>, environment: Environment): TopicRule {
  const payload = rule.properties.TopicRulePayload;
  return {
    name: rule.physicalName,
    arn: arnOf(environment, 'iot', `rule/${rule.physicalName}`),
    sql: payload.Sql,
    sqlVersion: payload.AwsIotSqlVersion,
    actions: payload.Actions.map(asAction),
    errorAction: payload.ErrorAction === undefined ? undefined : asAction(payload.ErrorAction),
  };
}

type TemplateAction = PropertiesOf<'AWS::IoT::TopicRule'>['TopicRulePayload']['Actions'][number];

function asAction(action: TemplateAction): RuleAction {
  if ('Lambda' in action) return { kind: 'lambda', functionArn: action.Lambda.FunctionArn };
  return { kind: 'sqs', queueUrl: action.Sqs.QueueUrl, roleArn: action.Sqs.RoleArn };
}

function asDocument(document: PropertiesOf<'AWS::IoT::Policy'>['PolicyDocument']): PolicyDocument {
  return {
    Statement: document.Statement.map(({ Effect, Action, Resource, Condition }) => ({
      Effect,
      Action,
      Resource,
      ...(Condition === undefined ? {} : { Condition }),
    })),
  };
}

/** Functions are named by name or by ARN. */
function functionNameOf(nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? (nameOrArn.split(':')[6] ?? nameOrArn) : nameOrArn;
}
