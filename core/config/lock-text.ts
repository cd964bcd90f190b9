/** The lock file's text: JSON for people and diffs, sorted, with a newline at its end. */
import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../base/json.ts';
import { GUARANTEES } from '../guarantees/index.ts';
import { LOCK_VERSION, type Lock, type Pins } from './lock.ts';
import type { Route } from './route.ts';
import { BRIDGE_NAME, ROUTE_NAME } from './schema.ts';

/** A lock file that cannot be used as it is. It is never written over. */
export class LockFileError extends Error {
  override readonly name = 'LockFileError';
}

export function formatLock(lock: Lock): string {
  return `${JSON.stringify(sorted(lock), null, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Reads what `formatLock` wrote, however it is indented.
 * @throws LockFileError that says what is wrong and how to mend it
 */
export function parseLock(text: string): Lock {
  const json = readJsonObject(Buffer.from(text));
  if (!json.ok) throw malformed(json.detail.replace(/^the body/, 'it'));
  const { lockVersion, bridge, routes } = json.value;
  const version = isJsonNumber(lockVersion) ? lockVersion.value : undefined;
  if (version !== String(LOCK_VERSION)) {
    throw malformed(
      `its lockVersion is ${version ?? 'missing'}; this version of Tollbridge reads ${LOCK_VERSION}`,
    );
  }
  onlyKeys(json.value, ['bridge', 'lockVersion', 'routes'], '');
  if (typeof bridge !== 'string' || !BRIDGE_NAME.test(bridge)) {
    throw malformed('bridge is not the name of a bridge');
  }
  if (!isJsonObject(routes)) throw malformed('routes is not an object');
  const read = Object.entries(routes).map(([name, pins]) => [name, readPins(name, pins)] as const);
  return { lockVersion: LOCK_VERSION, bridge, routes: Object.fromEntries(read) };
}

function readPins(name: string, value: JsonValue): Pins {
  if (!ROUTE_NAME.test(name)) throw malformed(`routes.${name} is not the name of a route`);
  if (!isJsonObject(value)) throw malformed(`routes.${name} is not an object`);
  const { guarantee } = value;
  if (!isGuarantee(guarantee)) throw malformed(`routes.${name}.guarantee is none of the three`);
  const pins = Object.keys(GUARANTEES[guarantee].pins);
  onlyKeys(value, pins, `routes.${name}.`);
  const read = pins.map((pin) => [pin, readPin(`routes.${name}.${pin}`, pin, value[pin])] as const);
  return { ...Object.fromEntries(read), guarantee };
}

function readPin(at: string, pin: string, value: JsonValue | undefined): string | number {
  if (pin !== 'indexShards') {
    if (typeof value === 'string' && value !== '') return value;
    throw malformed(`${at} is ${value === undefined ? 'missing' : 'not a text'}`);
  }
  if (isJsonNumber(value) && /^[1-9]\d{0,8}$/.test(value.value)) return Number(value.value);
  throw malformed(`${at} is ${value === undefined ? 'missing' : 'not a whole number'}`);
}

function isGuarantee(value: JsonValue | undefined): value is Route['guarantee'] {
  return typeof value === 'string' && Object.hasOwn(GUARANTEES, value);
}

function onlyKeys(value: JsonObject, keys: readonly string[], where: string): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw malformed(`${where}${unknown} is unknown`);
}

function malformed(fault: string): LockFileError {
  return new LockFileError(
    `tollbridge.lock.json cannot be read: ${fault}.\n` +
      'It pins what the records of a running fleet hang on, so it is not written anew: restore it ' +
      'from version control (git checkout tollbridge.lock.json) or finish the merge that broke it.',
  );
}
