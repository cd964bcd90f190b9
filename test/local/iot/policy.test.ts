import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument, PolicyStatement } from '../../../local/contracts.ts';
import { assertSupported, isAllowed, UnsupportedPolicyError } from '../../../local/iot/policy.ts';

const THING = 'iot:Connection.Thing.ThingName';
const ARN = 'arn:aws:iot:eu-west-1:123456789012';

function allow(changes: Partial<PolicyStatement> = {}): PolicyStatement {
  return { Effect: 'Allow', Action: '*', Resource: '*', ...changes };
}

function policy(...statements: PolicyStatement[]): PolicyDocument {
  return { Statement: statements };
}

function allows(
  statements: readonly PolicyStatement[],
  request: { action?: string; resource?: string; variables?: Record<string, string> } = {},
): boolean {
  const { action = 'iot:Publish', resource = `${ARN}:topic/a/b`, variables = {} } = request;
  return isAllowed([policy(...statements)], { action, resource, variables });
}

describe('policies', () => {
  it('denies what no statement allows', () => {
    expect(isAllowed([], { action: 'iot:Publish', resource: 'x', variables: {} })).toBe(false);
    expect(allows([])).toBe(false);
  });

  it('lets an explicit Deny win over an Allow, in whichever document and order', () => {
    const deny: PolicyStatement = { Effect: 'Deny', Action: 'iot:Publish', Resource: '*' };
    const request = { action: 'iot:Publish', resource: 'x', variables: {} };
    expect(isAllowed([policy(allow()), policy(deny)], request)).toBe(false);
    expect(isAllowed([policy(deny), policy(allow())], request)).toBe(false);
    expect(isAllowed([policy(allow(), deny)], { ...request, action: 'iot:Receive' })).toBe(true);
  });

  it.each<[string, string, boolean]>([
    ['iot:Publish', 'iot:Publish', true],
    ['IOT:publish', 'iot:Publish', true],
    ['iot:*', 'iot:RetainPublish', true],
    ['*', 'iot:Connect', true],
    ['iot:Pub*', 'iot:Publish', true],
    ['iot:Publis?', 'iot:Publish', true],
    ['iot:Publish', 'iot:PublishMore', false],
    ['iot:Publish', 'iot:RetainPublish', false],
    ['iot:????', 'iot:Publish', false],
  ])('matches the action %j against %j: %j', (pattern, action, expected) => {
    expect(allows([allow({ Action: pattern })], { action })).toBe(expected);
    expect(allows([allow({ Action: ['s3:GetObject', pattern] })], { action })).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['topic/a/b', 'topic/a/b', true],
    ['topic/a/b', 'topic/A/b', false],
    ['topic/*', 'topic/a/b/c', true],
    ['topic/a*c', 'topic/a/b/c', true],
    ['topic/*/b', 'topic/a/x/b', true],
    ['topic/a?b', 'topic/a/b', true],
    ['topic/a?b', 'topic/a//b', false],
    ['topic/+/b', 'topic/a/b', false],
    ['topic/#', 'topic/a/b', false],
    ['topic/a', 'topic/a/b', false],
    ['topic/*b*', 'topic/a/b/c', true],
    ['topic/**', 'topic/', true],
    ['*', '', true],
    ['?', '', false],
    ['a*?', 'a', false],
    ['a*?', 'aé', true],
    ['a?', 'a😀', true],
    ['*ab*ab', 'abab', true],
    ['*ab*ab', 'abaab', true],
    ['*ab*ab', 'aab', false],
    ['a${*}', 'a*', true],
    ['a${*}', 'ab', false],
  ])('matches the resource %j against %j: %j', (pattern, resource, expected) => {
    expect(allows([allow({ Resource: ['other', pattern] })], { resource })).toBe(expected);
  });

  it('agrees with a regular expression on every wildcard pattern', () => {
    const short = (...characters: string[]) =>
      fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 });
    fc.assert(
      fc.property(short('a', 'b', '*', '?'), short('a', 'b'), (pattern, resource) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(allows([allow({ Resource: pattern })], { resource })).toBe(regex.test(resource));
      }),
    );
  });

  it('matches a pattern of many wildcards without an explosion of work', () => {
    // A backtracking matcher needs more than 10^20 steps for this, and the test would never end.
    const pattern = `${'*a'.repeat(40)}b`;
    expect(allows([allow({ Resource: pattern })], { resource: 'a'.repeat(4_000) })).toBe(false);
  });

  describe('variables', () => {
    const own = allow({ Resource: `${ARN}:topic/billing/\${${THING}}/*` });
    const publishAs = (thing: string, device: string) =>
      allows([own], {
        resource: `${ARN}:topic/billing/${device}/charges`,
        variables: { [THING]: thing },
      });

    it('stand for the value of the connection', () => {
      expect(publishAs('charger-1', 'charger-1')).toBe(true);
      expect(publishAs('charger-1', 'charger-2')).toBe(false);
    });

    it('are taken literally, so that a thing named * or ? matches only itself', () => {
      expect(publishAs('*', 'charger-2')).toBe(false);
      expect(publishAs('*', '*')).toBe(true);
      expect(publishAs('?', 'x')).toBe(false);
      expect(publishAs('charger-*', 'charger-2')).toBe(false);
    });

    it('are not resolved a second time inside a value', () => {
      expect(publishAs('${*}', '*')).toBe(false);
    });

    it('make a statement not match when they are unknown, be it Allow or Deny', () => {
      expect(allows([own], { resource: `${ARN}:topic/billing//charges` })).toBe(false);
      const deny: PolicyStatement = { ...own, Effect: 'Deny' };
      expect(allows([allow(), deny], { resource: `${ARN}:topic/billing//charges` })).toBe(true);
    });

    it('are found without regard to the case of their name', () => {
      const statement = allow({ Resource: 'client/${IOT:clientid}' });
      const variables = { 'iot:ClientId': 'c' };
      expect(allows([statement], { resource: 'client/c', variables })).toBe(true);
    });
  });

  describe('conditions', () => {
    it.each<[string, string, string, boolean]>([
      ['StringEquals', 'charger-1', 'charger-1', true],
      ['StringEquals', 'charger-*', 'charger-1', false],
      ['StringEquals', 'Charger-1', 'charger-1', false],
      ['StringLike', 'charger-*', 'charger-1', true],
      ['StringLike', 'meter-*', 'charger-1', false],
      ['Bool', 'True', 'true', true],
      ['Bool', 'false', 'true', false],
      [
        'ArnLike',
        'arn:aws:iot:*:123456789012:rule/*',
        'arn:aws:iot:eu-west-1:123456789012:rule/a',
        true,
      ],
      [
        'ArnEquals',
        'arn:aws:iot:*:123456789012:rule/*',
        'arn:aws:iot:eu-west-1:123456789012:rule/a',
        true,
      ],
      ['ArnLike', 'arn:aws:iot:*:rule/*', 'arn:aws:iot:eu-west-1:123456789012:rule/a', false],
      ['ArnLike', 'arn:aws:iot:*:1:rule:*', 'arn:aws:iot:eu-west-1:1:rule:a:b', true],
    ])('%s %j against %j: %j', (operator, value, actual, expected) => {
      const statement = allow({ Condition: { [operator]: { 'aws:SourceArn': value } } });
      const variables = { 'aws:sourcearn': actual };
      expect(allows([statement], { variables })).toBe(expected);
    });

    it('take the values of one key as alternatives and all keys together', () => {
      const statement = allow({
        Condition: { StringEquals: { a: ['1', '2'], b: '3' }, Bool: { c: 'true' } },
      });
      expect(allows([statement], { variables: { a: '2', b: '3', c: 'true' } })).toBe(true);
      expect(allows([statement], { variables: { a: '2', b: '4', c: 'true' } })).toBe(false);
      expect(allows([statement], { variables: { a: '2', b: '3', c: 'false' } })).toBe(false);
    });

    it('fail when the key is absent', () => {
      expect(allows([allow({ Condition: { StringLike: { a: '*' } } })])).toBe(false);
    });

    it('resolve variables in their values, literally', () => {
      const statement = allow({ Condition: { StringLike: { a: '${b}-*' } } });
      expect(allows([statement], { variables: { a: 'x-1', b: 'x' } })).toBe(true);
      expect(allows([statement], { variables: { a: 'x-1', b: '*' } })).toBe(false);
    });
  });

  describe('what cannot be enforced', () => {
    it.each<[string, unknown]>([
      ['StringNotEquals', policy(allow({ Condition: { StringNotEquals: { a: 'b' } } }))],
      ['StringEqualsIfExists', policy(allow({ Condition: { StringEqualsIfExists: { a: 'b' } } }))],
      [
        'ForAnyValue:StringLike',
        policy(allow({ Condition: { 'ForAnyValue:StringLike': { a: 'b' } } })),
      ],
      ['NotAction', { Statement: [{ Effect: 'Allow', NotAction: '*', Resource: '*' }] }],
      ['NotResource', { Statement: [{ ...allow(), NotResource: '*' }] }],
      ['2008-10-17', { Version: '2008-10-17', Statement: [] }],
      ['not an array', { Statement: allow() }],
      ['"Maybe"', { Statement: [{ ...allow(), Effect: 'Maybe' }] }],
      ['{"Ref":"Topic"}', { Statement: [{ ...allow(), Resource: { Ref: 'Topic' } }] }],
      ["${a, 'b'}", policy(allow({ Resource: "${a, 'b'}" }))],
      ['${a', policy(allow({ Resource: '${a' }))],
    ])('is refused by name at load time: %s', (name, document) => {
      const load = () => assertSupported(document as PolicyDocument);
      expect(load).toThrow(UnsupportedPolicyError);
      expect(load).toThrow(name);
    });

    it('does not include a policy in the shape of the template', () => {
      const document = {
        Version: '2012-10-17',
        Statement: [
          {
            ...allow(),
            Sid: 'Own',
            Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
          },
        ],
      };
      expect(() => assertSupported(document as PolicyDocument)).not.toThrow();
    });
  });
});
