/**
 * What IoT Core lets a client do: its limits, and the policies of the template. Pure: each function
 * answers with what is wrong, in words that end up as the reason of a disconnection, or undefined.
 *
 * A client with a certificate has the policies that the certificate has, and is the thing of its
 * client id only if the certificate is attached to that thing. One without is taken to be connected
 * as the thing whose name is its client id, with every policy.
 */
import { createHash } from 'node:crypto';
import {
  DEVICE_BYTES_MAX,
  MQTT_PAYLOAD_BYTES_MAX,
  TOPIC_BYTES_MAX,
  TOPIC_SLASHES_MAX,
} from '../../core/base/limits.ts';
import { topicFault } from '../../core/message/topics.ts';
import type { CertificateRights } from '../certificates/registry.ts';
import type { PolicyDocument } from '../contracts.ts';
import { basicIngestOf } from './basic-ingest.ts';
import { createDecisions } from './decisions.ts';
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

/** Who asks for something. */
export interface Requester {
  readonly clientId: string;
  /** Undefined for a client without TLS; `inactive` gives no rights at all. */
  readonly certificate: CertificateRights | 'inactive' | undefined;
}

interface ConnectRequest extends Requester {
  readonly will: Publication | undefined;
}

/** MQTT 3.1.1 §3.2.2.3: 2 is "identifier rejected", 5 is "not authorized". */
interface ConnectFault {
  readonly returnCode: 2 | 5;
  readonly reason: string;
}

export interface ConnectionRules {
  connectFault(request: ConnectRequest): ConnectFault | undefined;
  publishFault(requester: Requester, publication: Publication): string | undefined;
  subscribeFault(requester: Requester, filter: string, qos: number): string | undefined;
  mayReceive(requester: Requester, topic: string): boolean;
}

/** What AWS allows as the name of a thing (CreateThing, `thingName`). */
export const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;

/**
 * Stands for the id of a certificate, which `principal()` gives, where a client has none: the
 * SHA-256 of the client id, so it stays the same for a device.
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

  const decisions = createDecisions();

  function permits({ clientId, certificate }: Requester, action: string, resource: string) {
    if (certificate === 'inactive') return false;
    // The length in front keeps a client id with odd characters from reaching into the rest.
    const key = `${clientId.length} ${clientId} ${action} ${resource}`;
    return decisions.of(certificate ?? options, key, () =>
      isAllowed(certificate?.policies ?? policies, {
        action,
        resource: `arn:aws:iot:${region}:${accountId}:${resource}`,
        variables: variablesOf(clientId, certificate),
      }),
    );
  }

  function publishDenied(requester: Requester, { topic, retain }: Publication) {
    const resource = `topic/${topic}`;
    if (!permits(requester, 'iot:Publish', resource)) {
      return denied(requester, 'iot:Publish', resource);
    }
    if (retain && !permits(requester, 'iot:RetainPublish', resource)) {
      return denied(requester, 'iot:RetainPublish', resource);
    }
    return undefined;
  }

  function publishFault(requester: Requester, publication: Publication): string | undefined {
    return publicationFault(publication) ?? publishDenied(requester, publication);
  }

  return {
    connectFault(request) {
      const fault = clientIdFault(request.clientId);
      if (fault !== undefined) return { returnCode: 2, reason: fault };
      const resource = `client/${request.clientId}`;
      if (!permits(request, 'iot:Connect', resource)) {
        return { returnCode: 5, reason: denied(request, 'iot:Connect', resource) };
      }
      const { will } = request;
      const willFault = will === undefined ? undefined : publishFault(request, will);
      if (willFault === undefined) return undefined;
      return { returnCode: 5, reason: `the will cannot be published: ${willFault}` };
    },
    publishFault,
    subscribeFault(requester, filter, qos) {
      const fault = subscriptionFault(filter, qos);
      if (fault !== undefined) return fault;
      const resource = `topicfilter/${filter}`;
      return permits(requester, 'iot:Subscribe', resource)
        ? undefined
        : denied(requester, 'iot:Subscribe', resource);
    },
    mayReceive: (requester, topic) => permits(requester, 'iot:Receive', `topic/${topic}`),
  };
}

function variablesOf(clientId: string, certificate: CertificateRights | undefined) {
  const variables: Record<string, string> = { 'iot:ClientId': clientId };
  if (certificate !== undefined) variables['iot:CertificateId'] = certificate.certificateId;
  // A client called `+` is no thing: with its name in a policy it could subscribe to everyone's
  // topics. Without the variable no statement that uses it matches.
  const isThing = certificate?.things.has(clientId) ?? THING_NAME.test(clientId);
  if (isThing) {
    variables['iot:Connection.Thing.ThingName'] = clientId;
    variables['iot:Connection.Thing.IsAttached'] = 'true';
  }
  return variables;
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

/** Why, in words; a certificate's reach is told as well, for there a wrong client id shows. */
function denied({ certificate }: Requester, action: string, resource: string): string {
  if (certificate === 'inactive') {
    return `${action} on ${resource} is refused: the certificate is not active any more`;
  }
  const reason = `the policy does not allow ${action} on ${resource}`;
  if (certificate === undefined) return reason;
  const { certificateId, things, policies } = certificate;
  const attached = things.size === 0 ? 'no thing' : `the thing ${[...things].join(', ')}`;
  const held = policies.length === 1 ? '1 policy' : `${policies.length} policies`;
  return `${reason}; the certificate ${certificateId} is attached to ${attached} and has ${held}`;
}
