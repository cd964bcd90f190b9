/** The IoT data plane's Publish: `POST /topics/{topic}?qos=0|1&retain=true|false`. */
import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { MQTT_PAYLOAD_BYTES_MAX } from '../../core/base/limits.ts';
import { publicationFault } from '../iot/connection-rules.ts';
import { type ApiAnswer, dataPlaneError, published } from './answers.ts';
import { type ApiCaller, denialOf } from './caller.ts';

/** A publication that came over the data plane. */
export interface DataPlanePublication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** MQTT 5 user properties, in order; names can repeat. */
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

export interface PublishRequestOptions {
  readonly region: string;
  readonly accountId: string;
  /** Resolves when the broker has taken it. */
  readonly publish: (publication: DataPlanePublication) => Promise<void>;
}

export const topicsPath = '/topics/';

const userPropertiesSchema = z.array(z.record(z.string(), z.string()));

export async function handlePublish(
  options: PublishRequestOptions,
  caller: ApiCaller,
  url: string,
  headers: IncomingHttpHeaders,
  payload: Buffer,
): Promise<ApiAnswer> {
  const publication = publicationOf(url, headers, payload);
  if (typeof publication === 'string') {
    return dataPlaneError(400, 'InvalidRequestException', publication);
  }
  if (payload.length > MQTT_PAYLOAD_BYTES_MAX) {
    const message = `The payload has ${payload.length} bytes; at most ${MQTT_PAYLOAD_BYTES_MAX} are allowed.`;
    return dataPlaneError(413, 'RequestEntityTooLargeException', message);
  }
  const fault = publicationFault(publication);
  if (fault !== undefined) return dataPlaneError(400, 'InvalidRequestException', fault);
  const { topic, retain } = publication;
  const resource = `arn:aws:iot:${options.region}:${options.accountId}:topic/${topic}`;
  const denial = denialOf(caller, options.accountId, [
    { action: 'iot:Publish', resource },
    ...(retain ? [{ action: 'iot:RetainPublish', resource }] : []),
  ]);
  if (denial !== undefined) return dataPlaneError(403, 'ForbiddenException', denial);
  try {
    await options.publish(publication);
  } catch (cause) {
    const message = `The broker did not take the publication: ${String(cause)}`;
    return dataPlaneError(500, 'InternalFailureException', message);
  }
  return published();
}

/** The publication, or what is wrong with the request. */
function publicationOf(
  url: string,
  headers: IncomingHttpHeaders,
  payload: Buffer,
): DataPlanePublication | string {
  // Not read with `URL`, which would take "." and ".." in a topic for steps of a path.
  const [path = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const qos = parameters.get('qos') ?? '0';
  const retain = parameters.get('retain') ?? 'false';
  if (qos !== '0' && qos !== '1') return `qos is "${qos}"; 0 and 1 are allowed.`;
  if (retain !== 'true' && retain !== 'false') {
    return `retain is "${retain}"; true and false are allowed.`;
  }
  const userProperties = userPropertiesOf(headers['x-amz-mqtt5-user-properties']);
  if (typeof userProperties === 'string') return userProperties;
  try {
    const topic = decodeURIComponent(path.slice(topicsPath.length));
    return { topic, payload, qos: qos === '1' ? 1 : 0, retain: retain === 'true', userProperties };
  } catch {
    return `the topic "${path.slice(topicsPath.length)}" is not percent-encoded UTF-8.`;
  }
}

function userPropertiesOf(
  header: string | readonly string[] | undefined,
): DataPlanePublication['userProperties'] | string {
  if (header === undefined) return [];
  try {
    const text = Buffer.from(String(header), 'base64').toString('utf8');
    return userPropertiesSchema.parse(JSON.parse(text)).flatMap((one) => Object.entries(one));
  } catch {
    return 'x-amz-mqtt5-user-properties is not the base64 of a JSON array of objects with text values.';
  }
}
