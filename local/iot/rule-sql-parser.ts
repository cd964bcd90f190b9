/**
 * Reads the subset of AWS IoT SQL that the project's rules use:
 * `SELECT expression AS alias, … FROM 'topic/filter'`. Whatever else AWS knows is refused by name:
 * a rule that runs here must mean the same there.
 */
import { filterFault } from '../../core/message/topics.ts';
import { type Token, tokensOf, UnsupportedSqlError } from './rule-sql-lexer.ts';

export type MqttProperty =
  | 'content_type'
  | 'response_topic'
  | 'correlation_data'
  | 'format_indicator';

export type RuleExpression =
  | { readonly kind: 'literal'; readonly value: string | number }
  | { readonly kind: 'encoded-payload' }
  | { readonly kind: 'topic' }
  | { readonly kind: 'topic-level'; readonly level: number }
  | { readonly kind: 'client-id' }
  | { readonly kind: 'principal' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'new-uuid' }
  | { readonly kind: 'trace-id' }
  | { readonly kind: 'account-id' }
  | { readonly kind: 'user-properties' }
  | { readonly kind: 'user-property'; readonly name: string }
  | { readonly kind: 'mqtt-property'; readonly name: MqttProperty };

interface RuleColumn {
  readonly alias: string;
  readonly expression: RuleExpression;
}

export interface RuleStatement {
  readonly columns: readonly RuleColumn[];
  /** The topic filter of the FROM clause. */
  readonly filter: string;
}

type Argument = Extract<Token, { readonly kind: 'string' | 'integer' }> | StarToken;
interface StarToken {
  readonly kind: 'star';
  readonly position: number;
}

const SQL_VERSION = '2016-03-23';
const SHAPE = "allowed is SELECT expression AS alias, … FROM 'topic/filter' and nothing after it";
const MQTT_PROPERTIES: readonly MqttProperty[] = [
  'content_type',
  'response_topic',
  'correlation_data',
  'format_indicator',
];

/** The functions without arguments, by their name in lower case. */
const PLAIN_FUNCTIONS: ReadonlyMap<string, RuleExpression> = new Map<string, RuleExpression>([
  ['clientid', { kind: 'client-id' }],
  ['principal', { kind: 'principal' }],
  ['timestamp', { kind: 'timestamp' }],
  ['newuuid', { kind: 'new-uuid' }],
  ['traceid', { kind: 'trace-id' }],
  ['accountid', { kind: 'account-id' }],
]);
const FUNCTIONS = [
  "encode(*, 'base64')",
  'topic()',
  'topic(n)',
  ...Array.from(PLAIN_FUNCTIONS.keys(), (name) => `${name}()`),
  'get_user_properties()',
  "get_user_properties('name')",
  "get_mqtt_property('name')",
].join(', ');

/** Parses a statement, or throws `UnsupportedSqlError` with what was met and where. */
export function parseRuleSql(sql: string, sqlVersion: string): RuleStatement {
  if (sqlVersion !== SQL_VERSION) {
    throw new UnsupportedSqlError(
      `SQL version ${JSON.stringify(sqlVersion)}`,
      1,
      `version ${SQL_VERSION} is allowed; set awsIotSqlVersion to it (left out, it is 2015-10-08)`,
    );
  }
  return new Parser(tokensOf(sql)).statement();
}

/** Walks over the tokens once, left to right; `index` is the next one to read. */
class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  statement(): RuleStatement {
    this.#keyword('SELECT');
    const columns: RuleColumn[] = [];
    do {
      columns.push(this.#column(columns));
    } while (this.#takes(','));
    this.#keyword('FROM');
    const filter = this.#filter();
    const rest = this.#next();
    if (rest.kind !== 'end') throw refused(rest, SHAPE);
    return { columns, filter };
  }

  #column(before: readonly RuleColumn[]): RuleColumn {
    const expression = this.#expression();
    this.#keyword('AS');
    const token = this.#next();
    if (token.kind !== 'word') throw refused(token, 'the name of the column is expected after AS');
    if (before.some((column) => column.alias === token.text)) {
      throw refused(token, 'each alias is allowed once');
    }
    return { alias: token.text, expression };
  }

  #expression(): RuleExpression {
    const token = this.#next();
    switch (token.kind) {
      case 'string':
      case 'integer':
        return { kind: 'literal', value: token.value };
      case 'word':
        return this.#call(token.text, token);
      case 'symbol':
      case 'end':
        throw refused(token, `${SHAPE}; an expression is a literal or one of ${FUNCTIONS}`);
    }
  }

  #call(name: string, token: Token): RuleExpression {
    if (!this.#takes('(')) {
      throw refused(token, `attributes of the payload are not read here; allowed are ${FUNCTIONS}`);
    }
    const parameters: Argument[] = [];
    if (!this.#takes(')')) {
      do {
        parameters.push(this.#argument());
      } while (this.#takes(','));
      const close = this.#next();
      if (!isSymbol(close, ')')) throw refused(close, "',' or ')' is allowed after an argument");
    }
    const expression = meaning(name.toLowerCase(), parameters);
    if (expression === undefined) {
      throw refused(
        token,
        `the functions allowed are ${FUNCTIONS}`,
        `${name}(${parameters.map(shown).join(', ')})`,
      );
    }
    return expression;
  }

  #argument(): Argument {
    const token = this.#next();
    if (token.kind === 'string' || token.kind === 'integer') return token;
    if (isSymbol(token, '*')) return { kind: 'star', position: token.position };
    throw refused(token, 'an argument is a string, a whole number or *');
  }

  #filter(): string {
    const token = this.#next();
    if (token.kind !== 'string')
      throw refused(token, 'FROM is followed by a topic filter in single quotes');
    const fault = filterFault(token.value);
    if (fault !== undefined) {
      throw refused(
        token,
        `a topic filter is allowed there, and of this one it is to be said that ${fault}`,
      );
    }
    return token.value;
  }

  #keyword(keyword: 'SELECT' | 'AS' | 'FROM'): void {
    const token = this.#next();
    if (token.kind === 'word' && token.text.toUpperCase() === keyword) return;
    throw refused(token, `${keyword} is expected there: ${SHAPE}`);
  }

  #takes(text: ',' | '(' | ')'): boolean {
    const token = this.#tokens[this.#index];
    if (token === undefined || !isSymbol(token, text)) return false;
    this.#index += 1;
    return true;
  }

  #next(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) return { kind: 'end', position: 1 };
    // The last token, `end`, is given as often as it is asked for.
    if (token.kind !== 'end') this.#index += 1;
    return token;
  }
}

/** What a call means, or undefined when the function or its arguments are not of the subset. */
function meaning(name: string, given: readonly Argument[]): RuleExpression | undefined {
  const [first, second] = given;
  switch (name) {
    case 'encode':
      return given.length === 2 && first?.kind === 'star' && textOf(second) === 'base64'
        ? { kind: 'encoded-payload' }
        : undefined;
    case 'topic':
      if (given.length === 0) return { kind: 'topic' };
      return given.length === 1 && first?.kind === 'integer' && first.value >= 1
        ? { kind: 'topic-level', level: first.value }
        : undefined;
    case 'get_user_properties': {
      if (given.length === 0) return { kind: 'user-properties' };
      const key = textOf(first);
      return given.length === 1 && key !== undefined
        ? { kind: 'user-property', name: key }
        : undefined;
    }
    case 'get_mqtt_property': {
      const property = MQTT_PROPERTIES.find((each) => each === textOf(first));
      return given.length === 1 && property !== undefined
        ? { kind: 'mqtt-property', name: property }
        : undefined;
    }
  }
  return given.length === 0 ? PLAIN_FUNCTIONS.get(name) : undefined;
}

function textOf(argument: Argument | undefined): string | undefined {
  return argument?.kind === 'string' ? argument.value : undefined;
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

function refused(token: Token, allowed: string, met: string = shown(token)): UnsupportedSqlError {
  return new UnsupportedSqlError(met, token.position, allowed);
}

function shown(token: Token | StarToken): string {
  switch (token.kind) {
    case 'word':
    case 'symbol':
      return token.text;
    case 'string':
      return `'${token.value}'`;
    case 'integer':
      return String(token.value);
    case 'star':
      return '*';
    case 'end':
      return 'the end of the statement';
  }
}
