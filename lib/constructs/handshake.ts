import { Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { REQUEST_AGE_SECONDS_MAX } from '../../core/base/limits.ts';
import { type Bridge, pascalCase, ruleName } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { RULE_SQL_VERSION, ruleSql } from '../../core/message/envelope.ts';
import type { TableName } from '../../core/tables/schema.ts';
import { handshakeRouteOf } from '../../core/wire/handshake-route.ts';
import { ownTopic, type RequestKind } from '../../core/wire/topics.ts';
import type { StateStack } from '../state-stack.ts';
import { BridgeFunction } from './bridge-function.ts';
import { grantReceipts } from './grant-topic.ts';

export interface HandshakeProps {
  readonly bridge: Bridge;
  readonly state: Pick<StateStack, TableName>;
  /** Host name of the IoT data plane. */
  readonly dataEndpoint: string;
}

const KINDS: readonly RequestKind[] = ['release', 'query'];

/**
 * What answers release and query, for all routes. No queue stands before it and nothing that fails
 * is kept: no money is in a request, and a device that hears nothing asks again.
 */
export class Handshake extends Construct {
  readonly handler: LambdaFunction;
  readonly ruleNames: readonly string[];

  constructor(scope: Construct, id: string, props: HandshakeProps) {
    super(scope, id);
    const { bridge, state, dataEndpoint } = props;
    const answering = new BridgeFunction(this, 'Answer', {
      entry: 'handshake/index.ts',
      description: 'Answers what devices release and query',
      // Repeated later than by the device itself, a request would only add to what holds it up.
      asyncInvoke: { retries: 0, ageSecondsMax: REQUEST_AGE_SECONDS_MAX },
      environment: {
        POWERTOOLS_SERVICE_NAME: bridge.name,
        LEDGER_TABLE: state.ledger.tableName,
        DEDUP_RECORDS_TABLE: state.dedupRecords.tableName,
        QUARANTINE_TABLE: state.quarantine.tableName,
        // Read by the AWS SDK itself: the function is the same against any data plane.
        AWS_ENDPOINT_URL_IOT_DATA_PLANE: `https://${dataEndpoint}`,
      },
      constants: { BRIDGE_ROUTES: bridge.routes.map(handshakeRouteOf) },
    });
    this.handler = answering.handler;
    for (const statement of statementsOf(props)) answering.role.addToPolicy(statement);
    grantReceipts(answering.role);
    this.ruleNames = KINDS.map((kind) => requestRule(this, bridge, kind, this.handler));
  }
}

/** A row is marked or read; nobody who asks can make, replace or delete one. */
function statementsOf({ bridge, state }: HandshakeProps): readonly PolicyStatement[] {
  const tables = new Set(
    bridge.routes
      .map((route) => guaranteeOf(route))
      .flatMap(({ hasIds, table }) => (hasIds ? [table] : [])),
  );
  const marked = [...tables].map((table) => state[table]);
  const onRows = (actions: string[], tables: readonly TableV2[]) =>
    new PolicyStatement({ actions, resources: tables.map(({ tableArn }) => tableArn) });
  return [
    ...(marked.length > 0 ? [onRows(['dynamodb:UpdateItem', 'dynamodb:GetItem'], marked)] : []),
    onRows(['dynamodb:GetItem'], [state.quarantine]),
  ];
}

/** The name has two underscores, which no route's rule has. */
function requestRule(
  scope: Construct,
  bridge: Bridge,
  kind: RequestKind,
  handler: LambdaFunction,
): string {
  const stack = Stack.of(scope);
  const name = ruleName(bridge, { name: `handshake_${kind}` });
  const permission = new CfnPermission(scope, `${pascalCase(kind)}Permission`, {
    action: 'lambda:InvokeFunction',
    functionName: handler.functionArn,
    principal: 'iot.amazonaws.com',
    sourceArn: stack.formatArn({ service: 'iot', resource: 'rule', resourceName: name }),
    sourceAccount: stack.account,
  });
  const rule = new CfnTopicRule(scope, `${pascalCase(kind)}Rule`, {
    ruleName: name,
    topicRulePayload: {
      description: `Hands what devices ${kind} to the bridge`,
      sql: ruleSql(ownTopic('+', kind)),
      awsIotSqlVersion: RULE_SQL_VERSION,
      actions: [{ lambda: { functionArn: handler.functionArn } }],
      ruleDisabled: false,
    },
  });
  // Without it the rule could fire before the function lets it in.
  rule.addResourceDependency(permission);
  return name;
}
