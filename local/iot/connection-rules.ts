/**
 * What IoT Core lets a client do: its limits, and the policies of the template. Pure: each function
 * answers with what is wrong, in words that end up as the reason of a disconnection, or undefined.
 *
 * A client is taken to be connected as the thing whose name is its client id, with a certificate
 * of its own, as the device policy demands on AWS.
 */
import { createHash } from 'node:crypto';
import {
  DEVICE_BYTES_MAX,
  MQTT_PAYLOAD_BYTES_MAX,
  TOPIC_BYTES_MAX,
  TOPIC_SLASHES_MAX,
} from '../../core/limits.ts';
import { topicFault } from '../../core/topics.ts';
import type { PolicyDocument } from '../types.ts';
import { basicIngestOf } from './basic-ingest.ts';
import { isAllowed } from './policy.ts';

export interface ConnectionRulesOptions {
  readonly policies: readonly PolicyDocument[];
  readonly region: string;
  readonly accountId: string;
}

export interface Publication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

export interface ConnectRequest {
  readonly clientId: string;
  readonly will: Publication | undefined;
}

/** MQTT 3.1.1 §3.2.2.3: 2 is "identifier rejected", 5 is "not authorized". */
export interface ConnectFault {
  readonly returnCode: 2 | 5;
  readonly reason: string;
}

export interface ConnectionRules {
  connectFault(request: ConnectRequest): ConnectFault | undefined;
  publishFault(clientId: string, publication: Publication): string | undefined;
  subscribeFault(clientId: string, filter: string, qos: number): string | undefined;
  mayReceive(clientId: string, topic: string): boolean;
}

/** What AWS allows as the name of a thing (CreateThing, `thingName`). */
const THING_NAME = /^[a-zA-Z0-9:_-]+$/;
/** Remembered decisions; a client that tries topic after topic must not fill the memory. */
const DECISIONS_MAX = 10_000;

/**
 * Stands for the thumbprint of a client's certificate, which `principal()` gives. The local broker
 * knows no certificates: it is the SHA-256 of the client id, so it stays the same for a device.
 */
export function principalOf(clientId: string): string {
  return createHash('sha256').update(clientId, 'utf8').digest('hex');
}

/** What IoT Core's limits say against a publication, whoever sends it. */
export function publicationFault({ topic, payload, qos }: Publication): string | undefined {
  if (qos === 2) {
    // Seen on AWS: github.com/shamblett/mqtt_client/issues/232 (research, aws-facts section 1).
    return 'PUBLISH with QoS 2, which IoT Core does not support; use QoS 0 or 1';
  }
  if (payload.length > MQTT_PAYLOAD_BYTES_MAX) {
    return `PUBLISH with a payload of ${payload.length} bytes; at most ${MQTT_PAYLOAD_BYTES_MAX} are allowed`;
  }
  // The first three levels of Basic Ingest count neither for the slashes nor for the length. A
  // topic that ends with the rule's name is refused, for no page says what `topic()` then is.
  const counted = basicIngestOf(topic)?.rest;
  if (counted === undefined && topic.startsWith('$')) {
    return `PUBLISH on the reserved topic ${topic}; of topics with $ only $aws/rules/NAME/… is allowed`;
  }
  const fault = topicFault(counted ?? topic);
  return fault === undefined ? undefined : `PUBLISH on a topic that is refused: ${fault}`;
}

export function createConnectionRules(options: ConnectionRulesOptions): ConnectionRules {
  const { policies, region, accountId } = options;

  // Devices ask for the same few things again and again, and the policies never change.
  const decisions = new Map<string, boolean>();

  function permits(clientId: string, action: string, resource: string): boolean {
    // The length in front keeps a client id with odd characters from reaching into the rest.
    const key = `${clientId.length} ${clientId} ${action} ${resource}`;
    const known = decisions.get(key);
    if (known !== undefined) return known;
    const decision = decide(clientId, action, resource);
    if (decisions.size >= DECISIONS_MAX) decisions.clear();
    decisions.set(key, decision);
    return decision;
  }

  function decide(clientId: string, action: string, resource: string): boolean {
    const variables: Record<string, string> = { 'iot:ClientId': clientId };
    // A client called `+` is no thing: with its name in a policy it could subscribe to everyone's
    // topics. Without the variable no statement that uses it matches.
    if (THING_NAME.test(clientId)) {
      variables['iot:Connection.Thing.ThingName'] = clientId;
      variables['iot:Connection.Thing.IsAttached'] = 'true';
    }
    const arn = `arn:aws:iot:${region}:${accountId}:${resource}`;
    return isAllowed(policies, { action, resource: arn, variables });
  }

  function publishDenied(clientId: string, { topic, retain }: Publication): string | undefined {
    const resource = `topic/${topic}`;
    if (!permits(clientId, 'iot:Publish', resource)) return denied('iot:Publish', resource);
    if (retain && !permits(clientId, 'iot:RetainPublish', resource)) {
      return denied('iot:RetainPublish', resource);
    }
    return undefined;
  }

  function publishFault(clientId: string, publication: Publication): string | undefined {
    return publicationFault(publication) ?? publishDenied(clientId, publication);
  }

  return {
    connectFault({ clientId, will }) {
      const fault = clientIdFault(clientId);
      if (fault !== undefined) return { returnCode: 2, reason: fault };
      const resource = `client/${clientId}`;
      if (!permits(clientId, 'iot:Connect', resource)) {
        return { returnCode: 5, reason: denied('iot:Connect', resource) };
      }
      const willFault = will === undefined ? undefined : publishFault(clientId, will);
      if (willFault === undefined) return undefined;
      return { returnCode: 5, reason: `the will cannot be published: ${willFault}` };
    },
    publishFault,
    subscribeFault(clientId, filter, qos) {
      const fault = subscriptionFault(filter, qos);
      if (fault !== undefined) return fault;
      const resource = `topicfilter/${filter}`;
      return permits(clientId, 'iot:Subscribe', resource)
        ? undefined
        : denied('iot:Subscribe', resource);
    },
    mayReceive(clientId, topic) {
      return permits(clientId, 'iot:Receive', `topic/${topic}`);
    },
  };
}

function clientIdFault(clientId: string): string | undefined {
  const bytes = Buffer.byteLength(clientId);
  if (bytes >= 1 && bytes <= DEVICE_BYTES_MAX && !clientId.startsWith('$')) return undefined;
  return `the client id is ${JSON.stringify(clientId.slice(0, DEVICE_BYTES_MAX))} (${bytes} bytes); it must have 1 to ${DEVICE_BYTES_MAX} bytes and not start with $`;
}

/**
 * AWS says of SUBSCRIBE with QoS 2 in one place that no SUBACK comes, in another that a lower QoS
 * may be granted. A client must rely on neither, so the connection ends here, with a reason.
 */
function subscriptionFault(filter: string, qos: number): string | undefined {
  if (qos > 1)
    return `SUBSCRIBE to ${filter} with QoS 2, which IoT Core does not support; use 0 or 1`;
  if (filter.startsWith('$')) {
    // Basic Ingest's topics cannot be subscribed to; shadows, jobs and $share do not exist here.
    return `SUBSCRIBE to ${filter}; topics with $ and shared subscriptions are not served here`;
  }
  if (Buffer.byteLength(filter) > TOPIC_BYTES_MAX) {
    return `SUBSCRIBE to a filter that is longer than ${TOPIC_BYTES_MAX} bytes`;
  }
  if (filter.split('/').length - 1 > TOPIC_SLASHES_MAX) {
    return `SUBSCRIBE to a filter with more than ${TOPIC_SLASHES_MAX} slashes`;
  }
  return undefined;
}

function denied(action: string, resource: string): string {
  return `the policy does not allow ${action} on ${resource}`;
}
