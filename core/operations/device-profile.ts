/**
 * What a device has to know of the routes, made from the configuration: the `routes` part of
 * `connect` in the device's package, whose shape this follows.
 */
import { type Bridge, type Route, ruleName } from '../config/route.ts';
import { sourceText } from '../config/source-text.ts';
import { type IdPart, type IdSource, partsOf } from '../config/sources.ts';
import { levelOf, topicFault, topicMatches } from '../message/topics.ts';

/** A route as `connect` takes it. */
interface DeviceRouteProfile {
  /** With wildcards that only the user can fill in, where there are any. */
  readonly topic: string;
  readonly idField?: string;
  readonly epochField?: string;
  readonly seqField?: string;
  readonly idFrom?: 'body';
  readonly handshake?: 'full';
}

interface DeviceProfile {
  readonly routes: Readonly<Record<string, DeviceRouteProfile>>;
  /** What a person should know of a route that is there, in the order of the routes. */
  readonly notes: readonly string[];
  /** Routes whose topic has wildcards left: `connect` refuses them as they are. */
  readonly unfilled: readonly string[];
  /** Routes that the library cannot serve, each with the reason. */
  readonly unsupported: readonly string[];
}

export interface ProfileOptions {
  /** Publish through `$aws/rules/RULE/…`, which has no message charge. */
  readonly basicIngest: boolean;
  readonly handshake: 'short' | 'full';
  /** Whole topics by route, for filters with more wildcards than the device. */
  readonly topics: ReadonlyMap<string, string>;
}

/** An option that does not fit the configuration. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

/** @throws ProfileError for a topic of a route that is not there, or that its filter does not match */
export function deviceProfile(bridge: Bridge, device: string, options: ProfileOptions) {
  for (const name of options.topics.keys()) {
    if (bridge.routes.some((route) => route.name === name)) continue;
    const names = bridge.routes.map((route) => route.name).join(', ');
    throw new ProfileError(`a topic is given for the route '${name}'; there are: ${names}`);
  }
  const routes: Record<string, DeviceRouteProfile> = {};
  const notes: string[] = [];
  const unfilled: string[] = [];
  const unsupported: string[] = [];
  for (const route of bridge.routes) {
    const id = idFields(route);
    if (typeof id === 'string') {
      unsupported.push(`routes.${route.name} is left out: ${id}`);
      continue;
    }
    const topic = topicFor(route, device, options.topics.get(route.name));
    const isFull = options.handshake === 'full' && id.idFrom === undefined;
    const prefix = options.basicIngest ? `$aws/rules/${ruleName(bridge, route)}/` : '';
    routes[route.name] = {
      topic: `${prefix}${topic}`,
      ...id,
      ...(isFull ? { handshake: 'full' as const } : {}),
    };
    notes.push(...notesOf(route, id));
    if (topicFault(topic) === undefined) continue;
    unfilled.push(
      `routes.${route.name}: the topic ${topic} has a wildcard that the device fills in; ` +
        `say it with --topic ${route.name}=TOPIC, or put it in before connect`,
    );
  }
  return { routes, notes, unfilled, unsupported: unsupported } satisfies DeviceProfile;
}

function topicFor(route: Route, device: string, given: string | undefined): string {
  if (given === undefined) {
    const levels = route.topic.split('/');
    levels[route.device.level - 1] = device;
    return levels.join('/');
  }
  const fault = topicFault(given);
  if (fault !== undefined) throw new ProfileError(`--topic ${route.name}: ${fault}`);
  if (!topicMatches(route.topic, given)) {
    throw new ProfileError(`--topic ${route.name}: the filter ${route.topic} does not match it`);
  }
  if (levelOf(given, route.device.level) !== device) {
    throw new ProfileError(
      `--topic ${route.name}: level ${route.device.level} has to be the device, ${device}`,
    );
  }
  return given;
}

type IdFields = Pick<DeviceRouteProfile, 'idField' | 'epochField' | 'seqField' | 'idFrom'>;

/** The fields, or why the library cannot serve the route. */
function idFields(route: Route): IdFields | string {
  if (route.receipts === 'none') {
    return "it sends no receipts (receipts: 'none'), and the library drops nothing without one";
  }
  if (route.guarantee === 'latest') return { idFrom: 'body' };
  const { id } = route;
  const parts = partsOf(id);
  const part = parts.find(isOutside);
  if (part !== undefined) {
    return (
      `its id is ${sourceText(id)}, and the library sends no MQTT 5 properties; ` +
      "make the id a field of the body: payload('id')"
    );
  }
  switch (id.from) {
    case 'payload':
      return { idField: id.path };
    case 'sequence':
      return { epochField: id.epochPath, seqField: id.path };
    case 'topic-level':
      return (
        `its id is ${sourceText(id)}: each message has a topic of its own, and connect takes one ` +
        "topic a route; make the id a field of the body: payload('id')"
      );
    case 'timestamp':
    case 'content-hash':
    case 'all':
      return { idFrom: 'body' };
    case 'user-property':
    case 'correlation-data':
      // Answered above.
      return sourceText(id);
  }
}

function isOutside({ from }: IdPart): boolean {
  return from === 'user-property' || from === 'correlation-data';
}

function notesOf(route: Route, { idFrom }: IdFields): readonly string[] {
  if (idFrom === undefined) return [];
  const at = `routes.${route.name}`;
  if (route.guarantee === 'latest') {
    return [`${at}: the newest value wins; one that comes late is rejected as stale`];
  }
  return [
    `${at}: the bridge makes the id of the body, ${sourceText(route.id)}. The device fills in those ` +
      `fields, ${sameness(route.id)}, and there is no full handshake`,
  ];
}

function sameness(id: IdSource): string {
  return id.from === 'content-hash'
    ? 'what is equal in them is one message'
    : 'two messages that are equal in them conflict';
}
