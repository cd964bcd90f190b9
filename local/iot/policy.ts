/**
 * Decides what IAM and AWS IoT policies allow. Everything is denied that no statement allows, and a
 * Deny that matches outweighs every Allow. What is not understood is refused at load time by
 * `assertSupported`: a statement that was read wrongly would open or close something in silence.
 */
import type { PolicyDocument, PolicyStatement } from '../contracts.ts';
import { arnMatches, type Pattern, patternMatches, patternOf, textOf } from './policy-pattern.ts';

/** A policy that the local cloud cannot enforce as AWS would. */
export class UnsupportedPolicyError extends Error {
  override readonly name = 'UnsupportedPolicyError';
}

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Policy variables and condition keys, e.g. `iot:Connection.Thing.ThingName`. */
  readonly variables: Readonly<Record<string, string>>;
}

const VERSION = '2012-10-17';
const DOCUMENT_KEYS: readonly string[] = ['Version', 'Id', 'Statement'];
const STATEMENT_KEYS: readonly string[] = ['Sid', 'Effect', 'Action', 'Resource', 'Condition'];
const OPERATORS = ['StringEquals', 'StringLike', 'Bool', 'ArnEquals', 'ArnLike'] as const;
type Operator = (typeof OPERATORS)[number];

/** Whether the documents together allow the request. */
export function isAllowed(documents: readonly PolicyDocument[], request: PolicyRequest): boolean {
  // IAM and AWS IoT compare the names of keys and variables without regard to case.
  const variables = new Map(
    Object.entries(request.variables).map(([name, value]) => [name.toLowerCase(), value]),
  );
  let allowed = false;
  for (const document of documents) {
    for (const statement of document.Statement) {
      if (!statementMatches(statement, request, variables)) continue;
      if (statement.Effect === 'Deny') return false;
      allowed = true;
    }
  }
  return allowed;
}

/** Throws `UnsupportedPolicyError` when the document uses what is not enforced here. */
export function assertSupported(document: PolicyDocument): void {
  // The document comes from a template: what the types promise is checked, not believed.
  refuseOtherKeys(document, DOCUMENT_KEYS, 'A policy document');
  const version = Reflect.get(document, 'Version');
  if (version !== undefined && version !== VERSION) {
    throw new UnsupportedPolicyError(
      `A policy document has the version ${JSON.stringify(version)}; ${VERSION} is allowed.`,
    );
  }
  if (!Array.isArray(document.Statement)) {
    throw new UnsupportedPolicyError(
      'The Statement of a policy document is not an array; write it as one.',
    );
  }
  document.Statement.forEach(assertStatementSupported);
}

function assertStatementSupported(statement: PolicyStatement): void {
  refuseOtherKeys(statement, STATEMENT_KEYS, 'A policy statement');
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') {
    throw new UnsupportedPolicyError(
      `A policy statement has the effect ${JSON.stringify(statement.Effect)}; Allow and Deny are allowed.`,
    );
  }
  const patterns = [
    ...stringsOf('Action', statement.Action),
    ...stringsOf('Resource', statement.Resource),
  ];
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    operatorOf(operator);
    for (const [key, values] of Object.entries(keys)) patterns.push(...stringsOf(key, values));
  }
  for (const text of patterns) {
    if (patternOf(text, noVariables) === 'malformed') {
      throw new UnsupportedPolicyError(
        `A policy has ${JSON.stringify(text)}; allowed are \${name} without a default value, \${*}, \${?} and \${$}.`,
      );
    }
  }
}

function statementMatches(
  statement: PolicyStatement,
  request: PolicyRequest,
  variables: ReadonlyMap<string, string>,
): boolean {
  const action = request.action.toLowerCase();
  return (
    listOf(statement.Action).some((each) => {
      const pattern = patternOf(each.toLowerCase(), noVariables);
      return isPattern(pattern) && patternMatches(pattern, action);
    }) &&
    listOf(statement.Resource).some((each) => {
      const pattern = patternOf(each, variables);
      return isPattern(pattern) && patternMatches(pattern, request.resource);
    }) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) =>
        conditionHolds(operatorOf(operator), variables.get(key.toLowerCase()), values, variables),
      ),
    )
  );
}

/** The values of one key are alternatives; a key that is absent fulfils none of them. */
function conditionHolds(
  operator: Operator,
  actual: string | undefined,
  values: string | readonly string[],
  variables: ReadonlyMap<string, string>,
): boolean {
  if (actual === undefined) return false;
  return listOf(values).some((value) => {
    const pattern = patternOf(value, variables);
    return isPattern(pattern) && valueMatches(operator, pattern, actual);
  });
}

function valueMatches(operator: Operator, pattern: Pattern, actual: string): boolean {
  switch (operator) {
    case 'StringEquals':
      return textOf(pattern) === actual;
    case 'StringLike':
      return patternMatches(pattern, actual);
    case 'Bool':
      return textOf(pattern).toLowerCase() === actual.toLowerCase();
    case 'ArnEquals':
    case 'ArnLike':
      // "ArnEquals and ArnLike behave identically" (IAM user guide, condition operators).
      return arnMatches(pattern, actual);
  }
}

const noVariables: ReadonlyMap<string, string> = new Map();

function isPattern(pattern: Pattern | 'unknown-variable' | 'malformed'): pattern is Pattern {
  return typeof pattern !== 'string';
}

function operatorOf(name: string): Operator {
  const operator = OPERATORS.find((each) => each === name);
  if (operator !== undefined) return operator;
  throw new UnsupportedPolicyError(
    `A policy statement has the condition operator ${name}; allowed are ${OPERATORS.join(', ')}.`,
  );
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

function stringsOf(name: string, value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((each) => {
    if (typeof each === 'string') return each;
    throw new UnsupportedPolicyError(
      `A policy statement has ${JSON.stringify(each)} under ${name}; a string or an array of strings is allowed, with intrinsics resolved.`,
    );
  });
}

function refuseOtherKeys(value: object, allowed: readonly string[], what: string): void {
  const other = Object.keys(value).find((key) => !allowed.includes(key));
  if (other === undefined) return;
  throw new UnsupportedPolicyError(`${what} has ${other}; allowed are ${allowed.join(', ')}.`);
}
