/**
 * What a device has to know of a route. `tollbridge device-profile NAME` prints it from the
 * configuration, so that nobody types topics twice.
 */
import { stripBasicIngest, topicFault } from '../../core/message/topics.ts';

/** What both ends say about a message: `short` ends at the receipt, `full` goes on to `completed`. */
export type Handshake = 'short' | 'full';

export interface RouteOptions {
  /**
   * The topic to publish on, the device's own level filled in; with `$aws/rules/RULE/` before it
   * for Basic Ingest.
   */
  readonly topic: string;
  /** @default 'short' */
  readonly handshake?: Handshake;
  /** Of the PUBLISH. With 0 a lost packet is repaired by the time-out alone. @default 1 */
  readonly qos?: 0 | 1;
}

/** The id is a field of the body: the bridge's `payload('id')`. */
export interface FieldRoute extends RouteOptions {
  /** Dots lead into objects. */
  readonly idField: string;
}

/** The id is a counter that the library keeps: the bridge's `sequence('seq', { epoch: 'boot' })`. */
export interface CounterRoute extends RouteOptions {
  readonly epochField: string;
  readonly seqField: string;
}

/**
 * The bridge makes the id of the body itself, e.g. `contentHash(…)` or `timestamp(…)`. Equal bodies
 * are one message, receipts are matched by the body's hash, and there is no full handshake.
 */
export interface BodyRoute extends RouteOptions {
  readonly idFrom: 'body';
}

export type RouteProfile = FieldRoute | CounterRoute | BodyRoute;
export type Routes = Readonly<Record<string, RouteProfile>>;

/** A checked route, every default filled in. */
export interface DeviceRoute {
  readonly name: string;
  readonly topic: string;
  readonly handshake: Handshake;
  readonly qos: 0 | 1;
  readonly id: RouteId;
}

type RouteId =
  | { readonly from: 'field'; readonly path: string }
  | { readonly from: 'counter'; readonly epochPath: string; readonly seqPath: string }
  | { readonly from: 'body' };

/** The checked routes by name; problems are added to the list. */
export function checkRoutes(routes: unknown, problems: string[]): ReadonlyMap<string, DeviceRoute> {
  const checked = new Map<string, DeviceRoute>();
  if (!isRecord(routes)) {
    problems.push("routes is no object; give what 'tollbridge device-profile' prints, or {}");
    return checked;
  }
  const topics = new Map<string, string>();
  for (const [name, profile] of Object.entries(routes)) {
    const route = checkRoute(name, profile, problems);
    if (route === undefined) continue;
    const plain = stripBasicIngest(route.topic);
    const other = topics.get(plain);
    if (other !== undefined) {
      problems.push(
        `routes.${name} and routes.${other} have one topic; a body belongs to one route`,
      );
    }
    topics.set(plain, name);
    checked.set(name, route);
  }
  return checked;
}

function checkRoute(name: string, profile: unknown, problems: string[]): DeviceRoute | undefined {
  const at = `routes.${name}`;
  if (!isRecord(profile)) {
    problems.push(`${at} is no object`);
    return undefined;
  }
  const { topic, handshake = 'short', qos = 1 } = profile;
  const before = problems.length;
  if (name === '') problems.push('routes has an empty name');
  if (typeof topic !== 'string') problems.push(`${at}.topic is missing`);
  else {
    const fault = topicFault(stripBasicIngest(topic));
    if (fault !== undefined) problems.push(`${at}.topic cannot be published on: ${fault}`);
  }
  if (handshake !== 'short' && handshake !== 'full') {
    problems.push(`${at}.handshake is ${shown(handshake)}; allowed are 'short' and 'full'`);
  }
  if (qos !== 0 && qos !== 1) problems.push(`${at}.qos is ${shown(qos)}; allowed are 0 and 1`);
  const id = checkId(at, profile, problems);
  if (id?.from === 'body' && handshake === 'full') {
    problems.push(`${at}.handshake is 'full', but a body has no id to release; leave it out`);
  }
  if (problems.length > before || id === undefined) return undefined;
  return { name, topic: topic as string, handshake: handshake as Handshake, qos: qos as 0 | 1, id };
}

function checkId(
  at: string,
  { idField, epochField, seqField, idFrom }: Readonly<Record<string, unknown>>,
  problems: string[],
): RouteId | undefined {
  const kinds = [idField, epochField ?? seqField, idFrom].filter((value) => value !== undefined);
  if (kinds.length !== 1) {
    problems.push(`${at} needs one of: idField; epochField and seqField; idFrom: 'body'`);
    return undefined;
  }
  if (isPath(idField)) return { from: 'field', path: idField };
  if (idFrom === 'body') return { from: 'body' };
  if (isPath(epochField) && isPath(seqField) && !nested(epochField, seqField)) {
    return { from: 'counter', epochPath: epochField, seqPath: seqField };
  }
  problems.push(
    `${at} does not say where the id is: fields are names, dots lead into objects, and a counter ` +
      'has two fields of which neither lies in the other',
  );
  return undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.split('.').every((key) => key !== '');
}

function nested(one: string, other: string): boolean {
  return `${one}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${one}.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
