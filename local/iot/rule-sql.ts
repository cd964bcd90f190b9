/**
 * Evaluates a rule's SQL as AWS IoT documents it ("SQL functions" of the developer guide), for the
 * subset that `rule-sql-parser.ts` reads.
 */
import { levelOf, topicMatches } from '../../core/message/topics.ts';
import type { InboundMessage } from '../contracts.ts';
import { basicIngestOf, visibleTopic } from './basic-ingest.ts';
import type { MqttProperty, RuleExpression, RuleStatement } from './rule-sql-parser.ts';

export { UnsupportedSqlError } from './rule-sql-lexer.ts';
export { parseRuleSql, type RuleStatement } from './rule-sql-parser.ts';

type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** What an evaluation needs beside the message. */
export interface RuleContext {
  readonly accountId: string;
  /** The trace id of the message: one for all evaluations of one arrival. */
  readonly traceId: string;
  /** Called once for each `newuuid()` of each evaluation. */
  readonly newUuid: () => string;
}

/**
 * The output of a rule for a message, or 'no-match' when its FROM filter does not take the topic.
 *
 * A Basic Ingest topic is not held against the filter. AWS says that the name selects the rule and
 * that FROM is optional for a rule that is invoked by Basic Ingest alone, and nowhere that FROM
 * filters such a message. Whoever may publish to `$aws/rules/NAME/*` is thus taken to reach the
 * rule with any topic; if AWS should filter after all, the bridge has been tested against more.
 */
export function evaluateRule(
  statement: RuleStatement,
  message: InboundMessage,
  context: RuleContext,
): JsonObject | 'no-match' {
  const reserved = basicIngestOf(message.topic) !== undefined;
  if (!reserved && !topicMatches(statement.filter, message.topic)) return 'no-match';
  const output: [string, JsonValue][] = [];
  for (const { alias, expression } of statement.columns) {
    const value = evaluated(expression, message, context);
    // "Undefined" values vanish from the output object ("SQL data types").
    if (value !== undefined) output.push([alias, value]);
  }
  return Object.fromEntries(output);
}

function evaluated(
  expression: RuleExpression,
  message: InboundMessage,
  context: RuleContext,
): JsonValue | undefined {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'encoded-payload':
      return message.payload.toString('base64');
    case 'topic':
      return visibleTopic(message.topic);
    case 'topic-level':
      return levelOf(visibleTopic(message.topic), expression.level);
    case 'client-id':
      return message.clientId ?? 'n/a';
    case 'principal':
      return message.principal;
    case 'timestamp':
      return message.receivedAt;
    case 'new-uuid':
      return context.newUuid();
    case 'trace-id':
      // Undefined when the message did not come over MQTT.
      return message.clientId === undefined ? undefined : context.traceId;
    case 'account-id':
      return context.accountId;
    case 'user-properties':
      return allUserProperties(message);
    case 'user-property':
      return userProperty(message, expression.name);
    case 'mqtt-property':
      return mqttProperty(message, expression.name);
  }
}

/** Without an argument: an array of objects with one key each; Undefined when there are none. */
function allUserProperties(message: InboundMessage): JsonValue | undefined {
  const properties = message.userProperties ?? [];
  if (properties.length === 0) return undefined;
  return properties.map(([name, value]) => Object.fromEntries([[name, value]]));
}

/** With a key: an array, as MQTT 5 lets a key repeat; Undefined when the key is absent. */
function userProperty(message: InboundMessage, key: string): JsonValue | undefined {
  const values = (message.userProperties ?? [])
    .filter(([name]) => name === key)
    .map(([, value]) => value);
  return values.length === 0 ? undefined : values;
}

function mqttProperty(message: InboundMessage, name: MqttProperty): JsonValue | undefined {
  switch (name) {
    case 'correlation_data':
      return message.correlationData?.toString('base64');
    case 'format_indicator':
      return 'UNSPECIFIED_BYTES';
    case 'content_type':
    case 'response_topic':
      // MQTT 5 only: the embedded broker speaks 3.1.1, and no rule of the project asks for them.
      return undefined;
  }
}
