/**
 * What a rule hands to the function: the envelope, and the SQL that makes it. Both stand here so
 * that the names on the two sides cannot part.
 */

import { type EpochMillis, epochMillis } from '../base/time.ts';
import { stripBasicIngest } from './topics.ts';

/**
 * The SQL of a route's rule (SQL version 2016-03-23). The body travels as base64, so that any
 * payload arrives as the device sent it; `newuuid()` names this arrival and stays the same through
 * every retry of queue and function.
 */
export function ruleSql(topic: string): string {
  return (
    "SELECT encode(*, 'base64') AS body, topic() AS topic, clientid() AS clientId, " +
    'principal() AS principal, timestamp() AS receivedAt, newuuid() AS deliveryId, ' +
    'get_user_properties() AS userProperties, ' +
    "get_mqtt_property('correlation_data') AS correlationData " +
    `FROM '${topic}'`
  );
}
export const RULE_SQL_VERSION = '2016-03-23';

/**
 * The message attribute in which a redrive keeps when a dead letter first arrived, in epoch
 * milliseconds: a queue gives what is moved into it a new sent time.
 */
export const RECEIVED_AT_ATTRIBUTE = 'tollbridge-received-at';

/** One arrival of a message at the rule. */
export interface Delivery {
  /** Stays the same however often queues and functions try it; differs for a device's re-send. */
  readonly deliveryId: string;
  /** As the device means it, without Basic Ingest's prefix. */
  readonly topic: string;
  readonly body: Uint8Array;
  /** The rule's clock; on the error-action path the queue's sent time or the first handling. */
  readonly receivedAt: EpochMillis;
  /** Undefined when the message did not come over MQTT. */
  readonly clientId: string | undefined;
  /** Not known on the error-action path. */
  readonly principal: string | undefined;
  /** MQTT 5, in the order they were sent; not known on the error-action path. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  /** MQTT 5, base64; not known on the error-action path. */
  readonly correlationData?: string;
}

export type EnvelopeReading =
  | { readonly ok: true; readonly delivery: Delivery }
  | {
      readonly ok: false;
      readonly detail: string;
      /** Where it came on, as far as that could be read. */
      readonly topic: string | undefined;
    };

/**
 * Reads the rule's envelope, or the one of its error action (AWS IoT, "Error handling (error
 * action)").
 *
 * @param arrivedAt what stands for `receivedAt` where the envelope has none
 * @param transportId what stays the same over the transport's own retries: it names the delivery
 * where the error action's envelope does not. AWS names `cloudwatchTraceId` and promises no value.
 */
export function readEnvelope(
  value: unknown,
  arrivedAt: EpochMillis,
  transportId?: string,
): EnvelopeReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, detail: 'the envelope is not a JSON object', topic: undefined };
  }
  const fields = value as Readonly<Record<string, unknown>>;
  return 'base64OriginalPayload' in fields
    ? readErrorEnvelope(fields, arrivedAt, transportId)
    : readRuleEnvelope(fields);
}

/** The end of the year 9999: beyond it ISO 8601 has more digits, and rows would no longer sort. */
const RECEIVED_AT_MAX = 253_402_300_799_999;

type Fields = Readonly<Record<string, unknown>>;

function readRuleEnvelope(fields: Fields): EnvelopeReading {
  const { receivedAt } = fields;
  const isInteger = typeof receivedAt === 'number' && Number.isInteger(receivedAt);
  if (!isInteger || !(receivedAt >= 0 && receivedAt <= RECEIVED_AT_MAX)) {
    return unread(fields.topic, 'the envelope has no receivedAt in epoch milliseconds');
  }
  return readDelivery({
    deliveryId: fields.deliveryId,
    topic: fields.topic,
    // The SQL function leaves the field out for a payload without bytes, or makes an empty text of it.
    base64: fields.body ?? '',
    receivedAt: epochMillis(receivedAt),
    clientId: fields.clientId,
    principal: fields.principal,
    userProperties: fields.userProperties,
    correlationData: fields.correlationData,
  });
}

function readErrorEnvelope(
  fields: Fields,
  arrivedAt: EpochMillis,
  transportId: string | undefined,
): EnvelopeReading {
  return readDelivery({
    deliveryId: fields.cloudwatchTraceId || transportId,
    topic: fields.topic,
    base64: fields.base64OriginalPayload ?? '',
    receivedAt: arrivedAt,
    clientId: fields.clientId,
    principal: undefined,
  });
}

function readDelivery(found: {
  readonly deliveryId: unknown;
  readonly topic: unknown;
  readonly base64: unknown;
  readonly receivedAt: EpochMillis;
  readonly clientId: unknown;
  readonly principal: unknown;
  readonly userProperties?: unknown;
  readonly correlationData?: unknown;
}): EnvelopeReading {
  const { deliveryId, topic, base64, receivedAt } = found;
  if (typeof deliveryId !== 'string' || deliveryId === '') {
    return unread(topic, 'the envelope has no deliveryId');
  }
  if (typeof topic !== 'string') return unread(topic, 'the envelope has no topic');
  if (typeof base64 !== 'string' || !isBase64(base64)) {
    return unread(topic, 'the envelope has no body in base64');
  }
  return {
    ok: true,
    delivery: {
      deliveryId,
      topic: stripBasicIngest(topic),
      body: Buffer.from(base64, 'base64'),
      receivedAt,
      clientId: mqttClient(found.clientId),
      principal: typeof found.principal === 'string' ? found.principal : undefined,
      ...(Array.isArray(found.userProperties) && {
        userProperties: found.userProperties.flatMap(propertyPairs),
      }),
      ...(typeof found.correlationData === 'string' && { correlationData: found.correlationData }),
    },
  };
}

function unread(topic: unknown, detail: string): EnvelopeReading {
  const known = typeof topic === 'string' ? stripBasicIngest(topic) : undefined;
  return { ok: false, detail, topic: known };
}

/** `get_user_properties()` gives an array of objects with one key each (AWS IoT SQL reference). */
function propertyPairs(property: unknown): [name: string, value: string][] {
  if (typeof property !== 'object' || property === null) return [];
  return Object.entries(property).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  );
}

/** `clientid()` is `n/a` where the message did not come over MQTT (AWS IoT SQL reference). */
function mqttClient(clientId: unknown): string | undefined {
  return typeof clientId === 'string' && clientId !== 'n/a' ? clientId : undefined;
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
