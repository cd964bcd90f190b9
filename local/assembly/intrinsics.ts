/**
 * CloudFormation's intrinsic functions. What is not known is refused by name, for a guess would run
 * something else than what is deployed.
 */
import { UnsupportedTemplateError } from './errors.ts';
import type { StackAssembly } from './read-assembly.ts';

/** What intrinsics refer to outside the value itself. */
export interface Scope {
  readonly stack: StackAssembly;
  /** `AWS::Region` and the like, by full name. */
  readonly pseudo: Readonly<Record<string, string>>;
  /** Exports of earlier stacks, by name. */
  readonly imports: ReadonlyMap<string, unknown>;
  /** Outputs of earlier stacks, by stack and name. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What `Ref` gives for a resource. */
  reference(logicalId: string, where: string): string;
  /** What `Fn::GetAtt` gives. */
  attribute(logicalId: string, attribute: string, where: string): string;
}

/** Stands for `AWS::NoValue` until the property or element that holds it is left out. */
const noValue = Symbol('AWS::NoValue');

const supported = [
  'Ref',
  'Fn::GetAtt',
  'Fn::Join',
  'Fn::Sub',
  'Fn::Select',
  'Fn::Split',
  'Fn::ImportValue',
  'Fn::GetStackOutput',
  'Fn::FindInMap',
  'Fn::If',
] as const;
type FunctionName = (typeof supported)[number];

/** Resolves values of one stack. `where` names the resource in errors. */
export interface Resolver {
  resolve(value: unknown, where: string): unknown;
  condition(name: string, where: string): boolean;
}

export function createResolver(scope: Scope): Resolver {
  const resolve = (value: unknown, where: string): unknown => {
    if (Array.isArray(value)) {
      return value.map((item) => resolve(item, where)).filter((item) => item !== noValue);
    }
    if (!isObject(value)) return value;
    const call = asCall(value);
    if (call !== undefined) return evaluate(call.name, call.argument, where);
    const entries = Object.entries(value).map(
      ([key, item]) => [key, resolve(item, where)] as const,
    );
    return Object.fromEntries(entries.filter(([, item]) => item !== noValue));
  };
  const text = (value: unknown, where: string): string => {
    const resolved = resolve(value, where);
    if (typeof resolved === 'string') return resolved;
    if (typeof resolved === 'number' || typeof resolved === 'boolean') return String(resolved);
    throw refused(scope, where, `${show(value)} where text is needed`, 'a string');
  };
  const evaluate = (name: string, argument: unknown, where: string): unknown => {
    if (!isSupported(name)) {
      throw refused(scope, where, `the intrinsic function ${name}`, supported.join(', '));
    }
    switch (name) {
      case 'Ref':
        return evaluateRef(scope, argument, where);
      case 'Fn::GetAtt': {
        const [id, attribute] = attributePath(scope, argument, where);
        return scope.attribute(id, text(attribute, where), where);
      }
      case 'Fn::Join': {
        const [delimiter, list] = pair(scope, name, argument, where);
        return listOf(scope, name, resolve(list, where), where)
          .map((item) => text(item, where))
          .join(text(delimiter, where));
      }
      case 'Fn::Sub':
        return substitute(scope, argument, where, text);
      case 'Fn::Select': {
        const [index, list] = pair(scope, name, argument, where);
        const items = listOf(scope, name, resolve(list, where), where);
        const item = items[Number(text(index, where))];
        if (item !== undefined) return item;
        throw refused(scope, where, `Fn::Select beyond the list's end`, `0 to ${items.length - 1}`);
      }
      case 'Fn::Split': {
        const [delimiter, source] = pair(scope, name, argument, where);
        return text(source, where).split(text(delimiter, where));
      }
      case 'Fn::ImportValue': {
        const exportName = text(argument, where);
        if (scope.imports.has(exportName)) return scope.imports.get(exportName);
        const known = [...scope.imports.keys()].join(', ') || 'none so far';
        throw refused(scope, where, `Fn::ImportValue of "${exportName}"`, `exports: ${known}`);
      }
      case 'Fn::GetStackOutput':
        return stackOutput(scope, resolve(argument, where), where);
      case 'Fn::FindInMap':
        return findInMap(scope, argument, where, text);
      case 'Fn::If': {
        const [condition, then, otherwise] = listOf(scope, name, argument, where);
        return resolve(holds(scope, String(condition), where, text) ? then : otherwise, where);
      }
    }
  };
  return {
    resolve: (value, where) => {
      const resolved = resolve(value, where);
      return resolved === noValue ? undefined : resolved;
    },
    condition: (name, where) => holds(scope, name, where, text),
  };
}

type TextOf = (value: unknown, where: string) => string;

function evaluateRef(scope: Scope, argument: unknown, where: string): unknown {
  const name = String(argument);
  if (name === 'AWS::NoValue') return noValue;
  const pseudo = scope.pseudo[name];
  if (pseudo !== undefined) return pseudo;
  if (name in scope.stack.template.Resources) return scope.reference(name, where);
  const parameter = scope.stack.template.Parameters[name];
  if (parameter !== undefined && !parameter.Type.startsWith('AWS::') && 'Default' in parameter) {
    return parameter.Default;
  }
  const allowed = `resources of the stack, parameters with a default that is not looked up in SSM, ${Object.keys(scope.pseudo).join(', ')}, AWS::NoValue`;
  throw refused(scope, where, `Ref of "${name}"`, allowed);
}

function attributePath(scope: Scope, argument: unknown, where: string): [string, unknown] {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    if (dot > 0) return [argument.slice(0, dot), argument.slice(dot + 1)];
  }
  const [id, attribute] = pair(scope, 'Fn::GetAtt', argument, where);
  return [String(id), attribute];
}

function substitute(scope: Scope, argument: unknown, where: string, text: TextOf): string {
  const [template, variables] =
    typeof argument === 'string' ? [argument, {}] : pair(scope, 'Fn::Sub', argument, where);
  const given = isObject(variables) ? variables : {};
  // `${!name}` is written for a literal `${name}`: AWS IoT's own templates look like that.
  return text(template, where).replace(
    /\$\{(!?)([^}]*)\}/g,
    (_match, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      const key = name.trim();
      if (key in given) return text(given[key], where);
      const isAttribute = key.includes('.') && !key.includes('::');
      return text(isAttribute ? { 'Fn::GetAtt': key } : { Ref: key }, where);
    },
  );
}

/** Without a RoleArn, which leads to another account. */
function stackOutput(scope: Scope, argument: unknown, where: string): string {
  const { StackName, OutputName, Region, ...others } = isObject(argument) ? argument : {};
  const isHere = Region === undefined || Region === scope.pseudo['AWS::Region'];
  const value = scope.outputs[String(StackName)]?.[String(OutputName)];
  if (value !== undefined && isHere && Object.keys(others).length === 0) return value;
  const known = Object.keys(scope.outputs[String(StackName)] ?? {}).join(', ') || 'none so far';
  throw refused(
    scope,
    where,
    `Fn::GetStackOutput of ${show(argument)}`,
    `StackName, OutputName and this Region; outputs of that stack: ${known}`,
  );
}

function findInMap(scope: Scope, argument: unknown, where: string, text: TextOf): unknown {
  const [map, top, second, ...rest] = listOf(scope, 'Fn::FindInMap', argument, where);
  const keys = [map, top, second].map((key) => text(key, where));
  const found = scope.stack.template.Mappings[keys[0] ?? '']?.[keys[1] ?? '']?.[keys[2] ?? ''];
  if (found !== undefined) return found;
  const [fallback] = rest;
  if (isObject(fallback) && 'DefaultValue' in fallback) return fallback.DefaultValue;
  throw refused(
    scope,
    where,
    `Fn::FindInMap of ${keys.join(' / ')}`,
    `what is in Mappings (${Object.keys(scope.stack.template.Mappings).join(', ') || 'none'})`,
  );
}

/** Evaluates a condition of the template by name. */
function holds(scope: Scope, name: string, where: string, text: TextOf): boolean {
  const condition = scope.stack.template.Conditions[name];
  if (condition === undefined) {
    const known = Object.keys(scope.stack.template.Conditions).join(', ') || 'none';
    throw refused(scope, where, `the condition "${name}"`, `conditions of the template: ${known}`);
  }
  return evaluateCondition(scope, condition, `Conditions.${name}`, text);
}

function evaluateCondition(scope: Scope, value: unknown, where: string, text: TextOf): boolean {
  const call = isObject(value) ? asCall(value) : undefined;
  const parts =
    call === undefined ? [] : Array.isArray(call.argument) ? call.argument : [call.argument];
  const part = (item: unknown): boolean => evaluateCondition(scope, item, where, text);
  switch (call?.name) {
    case 'Fn::Equals':
      return text(parts[0], where) === text(parts[1], where);
    case 'Fn::And':
      return parts.every(part);
    case 'Fn::Or':
      return parts.some(part);
    case 'Fn::Not':
      return !part(parts[0]);
    case 'Condition':
      return holds(scope, String(call.argument), where, text);
  }
  throw refused(scope, where, show(value), 'Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition');
}

function pair(scope: Scope, name: string, argument: unknown, where: string): [unknown, unknown] {
  const items = listOf(scope, name, argument, where);
  if (items.length === 2) return [items[0], items[1]];
  throw refused(scope, where, `${name} with ${items.length} arguments`, 'two');
}

function listOf(scope: Scope, name: string, argument: unknown, where: string): readonly unknown[] {
  if (Array.isArray(argument)) return argument;
  throw refused(scope, where, `${name} of ${show(argument)}`, 'a list');
}

/** An object with one key that is a function's name is a call; `Ref` and `Condition` have no prefix. */
function asCall(
  value: Readonly<Record<string, unknown>>,
): { readonly name: string; readonly argument: unknown } | undefined {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return undefined;
  const argument = value[name];
  if (name === 'Condition') return typeof argument === 'string' ? { name, argument } : undefined;
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : undefined;
}

function isSupported(name: string): name is FunctionName {
  return supported.some((known) => known === name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(scope: Scope, where: string, met: string, allowed: string): Error {
  return new UnsupportedTemplateError({ stack: scope.stack.name, logicalId: where, met, allowed });
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
