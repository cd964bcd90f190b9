/**
 * Makes the bytes of a message, once. What JSON would change in silence (NaN, a Map, an undefined
 * item of an array) is refused, and what comes out is read back with the bridge's own reader: what
 * it would reject as no body or no id never gets an id of its own.
 */
import { bodyHashOf } from '../../core/base/hash.ts';
import { isJsonNumber, type JsonValue, readJsonObject } from '../../core/base/json.ts';
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from '../../core/base/limits.ts';
import { quoted } from '../../core/base/printable.ts';
import { encodeId, idText, type MessageId, readId } from '../../core/message/id.ts';
import { stripBasicIngest } from '../../core/message/topics.ts';
import { BodyTooLongError, InvalidBodyError, InvalidIdError } from '../errors.ts';
import type { DeviceRoute } from './profile.ts';

/** A message as it will always be sent. */
export interface Draft {
  readonly route: DeviceRoute;
  /** As receipts tell it. */
  readonly id: MessageId;
  readonly bytes: Buffer;
  /** `bodyHash` of the protocol. */
  readonly hash: string;
}

/** Where an id comes from when the caller gives none. */
export interface IdSupply {
  /** A new id, unique for ever. */
  draw(): string;
  /** The next number of the route's counter. */
  nextNumber(route: string): { readonly epoch: string; readonly seq: number };
}

/** The caller's id, if any: a text, or an integer as a bigint or a safe number. */
export type GivenId = string | bigint | number | undefined;

type Tree = string | number | bigint | boolean | null | Digits | readonly Tree[] | Branch;
type Branch = Map<string, Tree>;
/** A number that is already text, from a LosslessNumber. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** @throws InvalidBodyError, InvalidIdError, BodyTooLongError */
export function draftOf(route: DeviceRoute, body: unknown, given: GivenId, ids: IdSupply): Draft {
  const tree = treeOf(body, 'the body', 1);
  if (!(tree instanceof Map)) {
    throw new InvalidBodyError(`the body is ${kindOf(body)}; a body is an object with fields`);
  }
  const id = placeId(route, tree, given, ids);
  const bytes = Buffer.from(textOf(tree));
  if (bytes.length > BODY_BYTES_MAX) throw new BodyTooLongError(bytes.length, BODY_BYTES_MAX);
  const reading = readJsonObject(bytes);
  if (!reading.ok) throw new InvalidBodyError(`route ${route.name}: ${reading.detail}`);
  const hash = bodyHashOf(stripBasicIngest(route.topic), bytes);
  return { route, id: id ?? { kind: 'text', text: hash }, bytes, hash };
}

/** Puts the id where the bridge reads it; undefined where the body itself is the id. */
function placeId(
  route: DeviceRoute,
  tree: Branch,
  given: GivenId,
  ids: IdSupply,
): MessageId | undefined {
  const { id } = route;
  switch (id.from) {
    case 'body':
      refuseGiven(route, given, 'the bridge makes the id of the body');
      return undefined;
    case 'counter': {
      refuseGiven(route, given, 'the library counts');
      for (const path of [id.epochPath, id.seqPath]) refuseTaken(route, tree, path);
      const { epoch, seq } = ids.nextNumber(route.name);
      place(route, tree, id.epochPath, epoch);
      place(route, tree, id.seqPath, seq);
      return { kind: 'text', text: `${epoch}:${seq}` };
    }
    case 'field':
      return placeField(route, tree, id.path, given, ids);
  }
}

function placeField(
  route: DeviceRoute,
  tree: Branch,
  path: string,
  given: GivenId,
  ids: IdSupply,
): MessageId {
  const present = readBack(tree, path);
  const inBody =
    present === undefined || present === null ? undefined : readOwn(route, path, present);
  if (given === undefined && inBody !== undefined) return inBody;
  const value = given ?? ids.draw();
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new InvalidIdError(
      `route ${route.name}: the id ${value} is no safe integer; give a text or a bigint`,
    );
  }
  if (inBody === undefined) place(route, tree, path, value);
  const found = readOwn(route, path, readBack(tree, path) ?? null);
  const wanted = typeof value === 'string' ? value : String(value);
  if (idText(found) !== wanted || (found.kind === 'text') !== (typeof value === 'string')) {
    throw new InvalidBodyError(
      `route ${route.name}: the body holds another id in ${path}, ${quoted(idText(found), 64)}; ` +
        'leave the field out, or give the same id',
    );
  }
  return found;
}

function readOwn(route: DeviceRoute, path: string, value: JsonValue): MessageId {
  const reading = readId(value, `the id (${path})`);
  if (!reading.ok) throw new InvalidIdError(`route ${route.name}: ${reading.detail}`);
  return reading.id;
}

/** The field as the bridge will read it; read alone, for a body is large and is read whole later. */
function readBack(tree: Branch, path: string): JsonValue | undefined {
  let field: Tree | undefined = tree;
  for (const key of path.split('.')) field = field instanceof Map ? field.get(key) : undefined;
  if (field === undefined) return undefined;
  const reading = readJsonObject(Buffer.from(`{"field":${textOf(field)}}`));
  return reading.ok ? reading.value.field : undefined;
}

function refuseGiven(route: DeviceRoute, given: GivenId, why: string): void {
  if (given === undefined) return;
  throw new InvalidIdError(`route ${route.name}: an id was given, but here ${why}; leave it out`);
}

function refuseTaken(route: DeviceRoute, tree: Branch, path: string): void {
  const present = readBack(tree, path);
  if (present === undefined || present === null) {
    // Only to find out whether there is room for it.
    place(route, tree, path, null);
    return;
  }
  const what = isJsonNumber(present) ? present.value : kindOf(present);
  throw new InvalidBodyError(
    `route ${route.name}: the body holds ${what} in ${path}, where the library counts; leave it out`,
  );
}

function place(route: DeviceRoute, tree: Branch, path: string, value: Tree): void {
  const keys = path.split('.');
  const last = keys.pop() ?? path;
  let branch = tree;
  for (const key of keys) {
    const next = branch.get(key) ?? new Map<string, Tree>();
    if (!(next instanceof Map)) {
      throw new InvalidBodyError(
        `route ${route.name}: the id belongs in ${path}, but ${key} is no object in this body`,
      );
    }
    branch.set(key, next);
    branch = next;
  }
  branch.set(last, value);
}

function treeOf(value: unknown, where: string, depth: number): Tree {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new InvalidBodyError(`${where} is ${value}, which JSON does not have; give a text`);
    case 'object':
      return value === null ? null : treeOfObject(value, where, depth);
    case 'undefined':
    case 'function':
    case 'symbol':
      throw new InvalidBodyError(`${where} is ${kindOf(value)}, which JSON does not have`);
  }
}

function treeOfObject(value: object, where: string, depth: number): Tree {
  if (depth > BODY_DEPTH_MAX) {
    throw new InvalidBodyError(
      `${where} lies deeper than ${BODY_DEPTH_MAX} levels, or the body holds itself`,
    );
  }
  const digits = digitsOf(value);
  if (digits !== undefined) return digits;
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return treeOf(value.toJSON(''), where, depth + 1);
  }
  if (Array.isArray(value)) {
    // From 0 to the end, for `map` passes over holes.
    return Array.from(value, (item, n) => treeOf(item, `${where}[${n}]`, depth + 1));
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw new InvalidBodyError(
      `${where} is ${kindOf(value)}, which JSON does not have; give a plain object or an array`,
    );
  }
  const branch: Branch = new Map();
  for (const [key, item] of Object.entries(value)) {
    // As JSON does: a field that is undefined is a field that is not there.
    if (item !== undefined) branch.set(key, treeOf(item, `${where}.${key}`, depth + 1));
  }
  return branch;
}

/** A LosslessNumber of whichever copy of lossless-json; data that only looks like one is data. */
function digitsOf(value: object): Digits | undefined {
  if (Object.getPrototypeOf(value) === Object.prototype) return undefined;
  if (!('isLosslessNumber' in value) || value.isLosslessNumber !== true) return undefined;
  const text = String('value' in value ? value.value : '');
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return new Digits(text);
  throw new InvalidBodyError(`${quoted(text, 64)} is no JSON number`);
}

function textOf(tree: Tree): string {
  if (tree instanceof Map) {
    const fields = Array.from(tree, ([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`);
    return `{${fields.join(',')}}`;
  }
  if (Array.isArray(tree)) return `[${tree.map(textOf).join(',')}]`;
  if (tree instanceof Digits) return tree.text;
  return typeof tree === 'bigint' ? tree.toString() : JSON.stringify(tree);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'undefined') return 'undefined';
  if (typeof value === 'object') {
    return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  }
  return `a ${typeof value}`;
}

/** One name for an id within its route; the number 1 and the text "1" are two. */
export function idKey(route: string, id: MessageId): string {
  return `${route}\0${encodeId(id)}`;
}
