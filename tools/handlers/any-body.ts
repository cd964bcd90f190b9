/** Bodies in the abstract, and the many texts that say each of them. */
import fc from 'fast-check';
import { anyText } from '../any-text.ts';

/** A body in the abstract; a bigint counts millionths. */
export type Model =
  | string
  | boolean
  | null
  | bigint
  | readonly Model[]
  | ReadonlyMap<string, Model>;
export type Fields = ReadonlyMap<string, Model>;

/** Choices from what was drawn, over and over, so that a failure can be shrunk. */
type Choice = (options: number) => number;

export function pickFrom(drawn: readonly number[]): Choice {
  let at = 0;
  return (options) => (drawn[at++ % drawn.length] ?? 0) % options;
}

/** Writes a model in one of its many notations. */
export function write(model: Model, pick: Choice): string {
  const space = () => [' ', '', '\n', '\t \r'][pick(4)] ?? '';
  const list = (items: readonly string[]) =>
    space() + items.join(`${space()},${space()}`) + space();
  if (typeof model === 'bigint') return writeNumber(model, pick);
  if (typeof model === 'string') return writeString(model, pick);
  if (model === null || typeof model === 'boolean') return String(model);
  if (!isFields(model)) return `[${list(model.map((item) => write(item, pick)))}]`;
  const members = [...model].map(
    ([key, item]) => `${writeString(key, pick)}${space()}:${space()}${write(item, pick)}`,
  );
  for (let left = members.length; left > 1; left--) {
    members.push(...members.splice(pick(left), 1));
  }
  return `{${list(members)}}`;
}

function isFields(model: Model): model is Fields {
  return model instanceof Map;
}

function writeString(text: string, pick: Choice): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const units = Array.from({ length: text.length }, (_, at) => text.charAt(at));
  return pick(3) === 0 ? `"${units.map(escaped).join('')}"` : JSON.stringify(text);
}

function writeNumber(millionths: bigint, pick: Choice): string {
  const sign = millionths < 0n || (millionths === 0n && pick(2) === 0) ? '-' : '';
  const digits = `${millionths < 0n ? -millionths : millionths}${'0'.repeat(pick(4))}`;
  const zeros = digits.length - String(millionths).replace('-', '').length;
  const places = pick(digits.length + 5);
  const padded = digits.padStart(places + 1, '0');
  const whole = padded.slice(0, padded.length - places).replace(/^0+(?=\d)/, '');
  const fraction = places === 0 ? '' : `.${padded.slice(-places)}`;
  const exponent = places - 6 - zeros;
  if (exponent === 0 && pick(2) === 0) return sign + whole + fraction;
  const plus = exponent < 0 ? '-' : ['', '+'][pick(2)];
  const power = '0'.repeat(pick(3)) + Math.abs(exponent);
  return `${sign}${whole}${fraction}${['e', 'E'][pick(2)]}${plus}${power}`;
}

export const key = fc.oneof(
  fc.constantFrom('a', 'b', '', '1', '__proto__', 'a.b', 'toString', '😀', '\ufb33', '\ud800'),
  anyText(3),
);
export const leaf = fc.oneof(
  fc.constantFrom<Model>(null, true, false, '', '1', 'null', '\ud800', '\\', '"', 0n, 1_000_000n),
  anyText(4),
  fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
);
const fieldsOf = (value: fc.Arbitrary<Model>): fc.Arbitrary<Fields> =>
  fc
    .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 5 })
    .map((entries) => new Map(entries));
export const { value } = fc.letrec<{ value: Model }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fieldsOf(tie('value')),
  ),
}));
export const fields = fieldsOf(value);
export const drawn = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });

/** Hardly any choice, so that two of them are often the same. */
const fewFieldsOf = (item: fc.Arbitrary<Model>): fc.Arbitrary<Fields> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), item), {
      selector: ([name]) => name,
      maxLength: 2,
    })
    .map((entries) => new Map(entries));
export const fewFields = fewFieldsOf(
  fc.letrec<{ value: Model }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 1 },
      fc.constantFrom<Model>('1', 0n, 1_000_000n, null),
      fc.array(tie('value'), { maxLength: 1 }),
      fewFieldsOf(tie('value')),
    ),
  })).value,
);

/** The model without one field, for a path of keys. */
export function without(model: Fields, path: readonly string[]): Fields {
  const [name = '', ...rest] = path;
  const inner = model.get(name);
  const copy = new Map(model);
  if (rest.length === 0) copy.delete(name);
  else if (inner !== undefined && isFields(inner)) copy.set(name, without(inner, rest));
  return copy;
}
