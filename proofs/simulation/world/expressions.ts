/**
 * The part of DynamoDB's expressions that the bridge writes: conditions of comparisons, AND, OR and
 * `attribute_exists`; updates of SET, `if_not_exists` and ADD.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

export interface Names {
  readonly names: Readonly<Record<string, string>> | undefined;
  readonly values: Item | undefined;
}

type Test = (item: Item | undefined, names: Names) => boolean;
type Change = (item: Record<string, AttributeValue>, old: Item | undefined, names: Names) => void;

const tests = new Map<string, Test>();
const updates = new Map<string, Change>();

export function holds(expression: string | undefined, item: Item | undefined, names: Names) {
  if (expression === undefined) return true;
  const test = tests.get(expression) ?? new Condition(expression).read();
  tests.set(expression, test);
  return test(item, names);
}

/** Every operand is read from the item as it was before. */
export function updated(expression: string, key: Item, old: Item | undefined, names: Names): Item {
  const change = updates.get(expression) ?? readUpdate(expression);
  updates.set(expression, change);
  const item = { ...(old ?? key) };
  change(item, old, names);
  return item;
}

class Condition {
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/[#:]?\w+|[<>]=?|=|[(),]/g) ?? [];
  }

  read(): Test {
    const test = this.#either();
    if (this.#tokens.length > 0) throw new Error(`unread: ${this.#tokens.join(' ')}`);
    return test;
  }

  #either(): Test {
    let test = this.#both();
    while (this.#tokens[0] === 'OR') {
      this.#tokens.shift();
      const [one, other] = [test, this.#both()];
      test = (item, names) => one(item, names) || other(item, names);
    }
    return test;
  }

  #both(): Test {
    let test = this.#one();
    while (this.#tokens[0] === 'AND') {
      this.#tokens.shift();
      const [one, other] = [test, this.#one()];
      test = (item, names) => one(item, names) && other(item, names);
    }
    return test;
  }

  #one(): Test {
    const token = this.#next();
    if (token === '(') {
      const test = this.#either();
      this.#expect(')');
      return test;
    }
    if (token === 'attribute_exists' || token === 'attribute_not_exists') {
      this.#expect('(');
      const name = this.#next();
      this.#expect(')');
      const isWanted = token === 'attribute_exists';
      return (item, names) => (item?.[nameFor(name, names)] !== undefined) === isWanted;
    }
    const sign = this.#next();
    const value = this.#next();
    return (item, names) => {
      const left = item?.[nameFor(token, names)];
      const right = valueFor(value, names);
      return left !== undefined && compares(left, sign, right);
    };
  }

  #next(): string {
    const token = this.#tokens.shift();
    if (token === undefined) throw new Error('a condition ends too soon');
    return token;
  }

  #expect(wanted: string): void {
    const token = this.#next();
    if (token !== wanted) throw new Error(`${wanted} was expected in a condition, not ${token}`);
  }
}

/** ADD counts numbers and joins sets. */
function sumOf(old: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (value.SS !== undefined) return { SS: [...new Set([...(old?.SS ?? []), ...value.SS])] };
  return { N: String(Number(old?.N ?? 0) + Number(value.N)) };
}

function readUpdate(expression: string): Change {
  const [, sets = '', adds = ''] =
    /^SET (.*?)(?: ADD (.*))?$/s.exec(expression) ?? fail(`no update: ${expression}`);
  const changes: Change[] = [];
  for (const [, name = '', kept, value = ''] of sets.matchAll(
    /([#\w]+) = (?:(if_not_exists)\([#\w]+, )?(:\w+)\)?/g,
  )) {
    changes.push((item, old, names) => {
      const attribute = nameFor(name, names);
      if (kept === undefined || old?.[attribute] === undefined) {
        item[attribute] = valueFor(value, names);
      }
    });
  }
  if (changes.length !== sets.split(' = ').length - 1) fail(`not all was read: ${expression}`);
  for (const [, name = '', value = ''] of adds.matchAll(/([#\w]+) (:\w+)/g)) {
    changes.push((item, old, names) => {
      const attribute = nameFor(name, names);
      item[attribute] = sumOf(old?.[attribute], valueFor(value, names));
    });
  }
  return (item, old, names) => {
    for (const change of changes) change(item, old, names);
  };
}

function nameFor(token: string, { names }: Names): string {
  if (!token.startsWith('#')) return token;
  return names?.[token] ?? fail(`no name stands for ${token}`);
}

function valueFor(token: string, { values }: Names): AttributeValue {
  return values?.[token] ?? fail(`no value stands for ${token}`);
}

function compares(left: AttributeValue, sign: string, right: AttributeValue): boolean {
  const [one, other] =
    left.N !== undefined && right.N !== undefined
      ? [Number(left.N), Number(right.N)]
      : [left.S ?? '', right.S ?? ''];
  if (left.N === undefined && left.S === undefined) return false;
  if ((left.N === undefined) !== (right.N === undefined)) return false;
  switch (sign) {
    case '=':
      return one === other;
    case '<':
      return one < other;
    case '<=':
      return one <= other;
    case '>':
      return one > other;
    case '>=':
      return one >= other;
  }
  return fail(`${sign} is no comparison`);
}

function fail(why: string): never {
  throw new Error(why);
}
