/** What the embedded engine reads of expressions is remembered; nothing may be different for it. */
import conditionParser from 'dynalite/db/conditionParser.js';
import updateParser from 'dynalite/db/updateParser.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExpressionContext,
  type ParseExpression,
  rememberingParse,
} from '../../../local/dynamodb/expression-memory.ts';

type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What the engine changes while it works. */
interface Tree {
  readonly sections: { val: object; type: string; readonly path: string[] }[];
  readonly nestedPaths: Record<string, boolean>;
}

interface Request {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Values;
  readonly texts: readonly string[];
}

function contextOf({ names, values }: Pick<Request, 'names' | 'values'>): ExpressionContext {
  const all = (named: object) => Object.fromEntries(Object.keys(named).map((name) => [name, true]));
  return {
    attrNames: names,
    attrVals: values,
    unusedAttrNames: all(names),
    unusedAttrVals: all(values),
    // What the engine hands its parsers beside it.
    ...{ isReserved: (name: string) => name.toUpperCase() === 'COUNTER', compare: () => false },
  };
}

/** Everything that a request finds out: trees, or what is wrong, and what it did not use. */
function outcomeOf(parse: ParseExpression, request: Request) {
  const context = contextOf(request);
  const trees = request.texts.map((text) => {
    try {
      return parse(text, { context });
    } catch (error) {
      return String(error);
    }
  });
  return { trees, names: context.unusedAttrNames, values: context.unusedAttrVals };
}

/** Mostly right, so that most requests have a tree. */
const seldom = (right: readonly string[], wrong: readonly string[]) =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...right) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );
const name = seldom(['#a', '#b', '#c', 'pk', 'tries'], ['counter', '#unknown']);
const path = fc
  .array(name, { minLength: 1, maxLength: 2 })
  .chain((parts) => fc.constantFrom(parts.join('.'), `${parts.join('.')}[1]`));
const valueName = seldom([':a', ':b'], [':c', ':unknown']);
const operand = fc.oneof(
  path,
  valueName,
  fc.tuple(path, valueName).map(([left, right]) => `if_not_exists(${left}, ${right})`),
  fc.tuple(valueName, valueName).map(([left, right]) => `list_append(${left}, ${right})`),
  fc.tuple(path, valueName).map(([left, right]) => `${left} + ${right}`),
);
const update = fc
  .array(
    fc.oneof(
      fc.tuple(path, operand).map(([left, right]) => `SET ${left} = ${right}`),
      fc.tuple(path, operand).map(([left, right]) => `SET ${left} = ${right}, #a = ${right}`),
      fc.tuple(path, valueName).map(([left, right]) => `ADD ${left} ${right}`),
      fc.tuple(path, valueName).map(([left, right]) => `DELETE ${left} ${right}`),
      path.map((one) => `REMOVE ${one}`),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((sections) => sections.join(' '));
const clause = fc.oneof(
  path.map((one) => `attribute_not_exists(${one})`),
  fc.tuple(path, valueName).map(([left, right]) => `${left} = ${right}`),
  fc.tuple(path, valueName).map(([left, right]) => `begins_with(${left}, ${right})`),
  fc.tuple(path, valueName).map(([left, right]) => `attribute_type(${left}, ${right})`),
  fc.tuple(path, valueName).map(([left, right]) => `${left} BETWEEN ${right} AND :b`),
  fc.tuple(path, valueName).map(([left, right]) => `size(${left}) > ${right}`),
  fc.tuple(path, valueName, valueName).map((parts) => `${parts[0]} IN (${parts[1]}, ${parts[2]})`),
);
const condition = fc
  .array(clause, { minLength: 1, maxLength: 3 })
  .chain((clauses) =>
    fc.constantFrom(clauses.join(' AND '), clauses.join(' OR '), `NOT ${clauses.join(' OR ')}`),
  );
const value = fc.oneof(
  fc.constantFrom('x', '', 'S', 'type').map((S) => ({ S })),
  fc.constantFrom('1', '2').map((N) => ({ N })),
  fc.constant({ L: [{ S: 'x' }] }),
  fc.constant({ SS: ['x', 'y'] }),
  fc.constant({ BOOL: false }),
);
const requestWith = (text: fc.Arbitrary<string>): fc.Arbitrary<Request> =>
  fc.record({
    names: fc.constantFrom<Request['names'][]>(
      { '#a': 'amount', '#b': 'body', '#c': 'device' },
      { '#a': 'account', '#b': 'tags', '#c': '__proto__' },
      { '#a': 'amount', '#b': 'body', '#c': 'amount' },
    ),
    values: fc.record({ ':a': value, ':b': value, ':c': value }, { requiredKeys: [':a', ':b'] }),
    texts: fc.array(text, { minLength: 1, maxLength: 2 }),
  });

describe('an expression that is remembered', () => {
  it.each([
    ['update', updateParser.parse, update],
    ['condition', conditionParser.parse, condition],
  ] as const)('is read as the parser itself would read it: %s', (_kind, parse, text) => {
    const remembering = rememberingParse(parse);
    let trees = 0;
    fc.assert(
      fc.property(requestWith(text), (request) => {
        const expected = outcomeOf(parse, request);
        trees += expected.trees.filter((tree) => typeof tree === 'object').length;
        expect(outcomeOf(remembering, request)).toStrictEqual(expected);
        expect(outcomeOf(remembering, request)).toStrictEqual(expected);
      }),
      { seed: 7, numRuns: 600 },
    );
    expect(trees).toBeGreaterThan(150);
  });

  const first: Request = {
    names: { '#a': 'amount' },
    values: { ':a': { N: '1' } },
    texts: ['SET #a = :a'],
  };

  it('has the values of its own request, and nothing of what the engine did to an earlier one', () => {
    const remembering = rememberingParse(updateParser.parse);
    // The first is the parser's own, the second made from memory.
    for (let time = 0; time < 2; time += 1) {
      const [tree] = outcomeOf(remembering, first).trees as [Tree];
      for (const section of tree.sections) {
        section.val = { S: 'resolved' };
        section.type = 'changed';
        section.path.push('changed');
      }
      tree.sections.push(...tree.sections);
      tree.nestedPaths.amount = true;
    }
    const again = { ...first, values: { ':a': { N: '2' } } };
    const [other] = outcomeOf(remembering, again).trees as [Tree];
    expect(other.sections[0]?.val).toBe(again.values[':a']);
    expect(outcomeOf(remembering, first)).toStrictEqual(outcomeOf(updateParser.parse, first));
  });

  it('tells values apart that were one and the same when it was read', () => {
    const remembering = rememberingParse(updateParser.parse);
    const texts = ['SET #a = :a, tries = :b'];
    const same = { N: '1' };
    outcomeOf(remembering, { ...first, texts, values: { ':a': same, ':b': same } });
    const request = { ...first, texts, values: { ':a': { N: '1' }, ':b': { N: '2' } } };
    expect(outcomeOf(remembering, request)).toStrictEqual(outcomeOf(updateParser.parse, request));
  });

  /** A parser that says how often it was asked; what is remembered is read twice at first. */
  function counting() {
    const asked: string[] = [];
    const parse = rememberingParse((text, options) => {
      asked.push(text);
      return conditionParser.parse(text, options);
    });
    return { asked, parse };
  }

  const ask = (parse: ParseExpression, text: string, values: Values, names = { '#a': 'amount' }) =>
    outcomeOf(parse, { names, values, texts: [text] });

  it('is read once for all values of the same types, and again for other types or names', () => {
    const { asked, parse } = counting();
    ask(parse, '#a = :a', { ':a': { S: 'x' } });
    ask(parse, '#a = :a', { ':a': { S: 'y' } });
    expect(asked).toHaveLength(2);
    ask(parse, '#a = :a', { ':a': { N: '1' } });
    ask(parse, '#a = :a', { ':a': { S: 'x' } }, { '#a': 'account' });
    // A value that another expression of the request uses changes nothing.
    ask(parse, '#a = :a', { ':a': { S: 'x' }, ':b': { S: 'x' } });
    expect(asked).toHaveLength(6);
  });

  it.each([
    ['bounds that are compared', '#a between :a AND :b'],
    ['the name of a type', 'ATTRIBUTE_TYPE(#a, :a)'],
    ['a fault', '#a = :nobody'],
    ['more characters than DynamoDB takes', `#a${' '.repeat(4_096)}= :a`],
  ])('is read each time when it has %s', (_what, text) => {
    const { asked, parse } = counting();
    for (let time = 0; time < 3; time += 1)
      ask(parse, text, { ':a': { S: 'S' }, ':b': { S: 'T' } });
    expect(asked).toHaveLength(3);
  });

  it('is read each time when a name means more characters than are worth keeping', () => {
    const { asked, parse } = counting();
    const names = { '#a': 'a'.repeat(256) };
    for (let time = 0; time < 3; time += 1) ask(parse, '#a = :a', { ':a': { S: 'x' } }, names);
    expect(asked).toHaveLength(3);
  });

  it('is forgotten when there are too many', () => {
    const { asked, parse } = counting();
    const times = 1_001;
    for (let time = 0; time < times; time += 1) ask(parse, `a${time} = :a`, { ':a': { S: 'x' } });
    ask(parse, `a${times - 1} = :a`, { ':a': { S: 'x' } });
    expect(asked).toHaveLength(2 * times);
    const again = ['a0 = :a', 'a1 = :a', 'a0 = :a', 'a1 = :a'];
    for (const text of again) ask(parse, text, { ':a': { S: 'x' } });
    expect(asked).toHaveLength(2 * times + 4);
  });
});
