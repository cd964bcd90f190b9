/** Texts that people write: decimals, rule SQL, policies, and values on a command line. */
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { moment, period, span } from '../../cli/access/periods.ts';
import { deviceName } from '../../cli/device/name.ts';
import { gatherKey, keyText } from '../../cli/quarantine/key.ts';
import { chance, httpUrl, wholeNumber } from '../../cli/shell/options.ts';
import { canonicalNumber } from '../../core/base/canonical.ts';
import { readDecimal, sameDecimal, sumOf } from '../../core/base/decimal.ts';
import {
  NUMBER_DIGITS_MAX,
  NUMBER_EXPONENT_MAX,
  NUMBER_EXPONENT_MIN,
} from '../../core/base/limits.ts';
import { ruleSql } from '../../core/message/envelope.ts';
import { filterFault, topicMatches } from '../../core/message/topics.ts';
import { candidatesOf } from '../../core/operations/id-candidates.ts';
import { PERIOD_MONTHS_MAX } from '../../core/operations/period.ts';
import type { InboundMessage, PolicyDocument } from '../../local/contracts.ts';
import { createConnectionRules } from '../../local/iot/connection-rules.ts';
import { evaluateRule, parseRuleSql, UnsupportedSqlError } from '../../local/iot/rule-sql.ts';
import { NOW } from '../../tools/handlers/samples.ts';
import { mutatedText, rawBytes, rawText } from './bytes.ts';
import { fail } from './fail.ts';
import { dateTime, numberText, oddNumberText, timeNear } from './numbers.ts';
import { type Target, targetOf } from './target.ts';

/** A number as its digits and the power of ten behind them, zeros stripped; no float touches it. */
function exactly(text: string): { readonly digits: bigint; readonly power: bigint } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  let digits = BigInt(whole.replace('-', '') + fraction);
  let power = BigInt(exponent) - BigInt(fraction.length);
  if (digits === 0n) return { digits, power: 0n };
  while (digits % 10n === 0n) {
    digits /= 10n;
    power += 1n;
  }
  return { digits: mantissa.startsWith('-') ? -digits : digits, power };
}

/** Amounts: booked exactly as sent, or refused because DynamoDB could not hold them. */
export const decimals: Target = targetOf({
  name: 'decimals',
  share: 18_000,
  reaches: ['read', 'no number', 'too many digits', 'out of range'],
  inputs: fc.oneof(
    { weight: 6, arbitrary: numberText },
    { weight: 2, arbitrary: oddNumberText },
    { weight: 1, arbitrary: mutatedText(numberText) },
    { weight: 1, arbitrary: rawText },
  ),
  open: () => ({
    check(text) {
      const reading = readDecimal(text);
      if (!reading.ok) return [assertRefusal(text, reading.detail)];
      const [sent, read] = [exactly(text), exactly(reading.decimal)];
      if (sent.digits !== read.digits || sent.power !== read.power) {
        fail('another number than was sent', text, reading.decimal);
      }
      if (!sameDecimal(reading.decimal, sumOf([reading.decimal, '0']))) fail('a sum is not exact');
      if (canonicalNumber(text) !== canonicalNumber(reading.decimal)) {
        fail('a number has two canonical texts', text, reading.decimal);
      }
      return ['read'];
    },
  }),
});

/** A refusal is right: the text is no number, or one that has no place in the table. */
function assertRefusal(text: string, detail: string): string {
  const isNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
  if (!isNumber) return 'no number';
  const { digits, power } = exactly(text);
  const count = String(digits).replace('-', '').length;
  const exponent = power + BigInt(count - 1);
  const isTooLong = count > NUMBER_DIGITS_MAX;
  const isOutside = exponent > NUMBER_EXPONENT_MAX || exponent < NUMBER_EXPONENT_MIN;
  if (digits === 0n || (!isTooLong && !isOutside)) fail('a good number was refused', text, detail);
  return detail.startsWith('more than') ? 'too many digits' : 'out of range';
}

const word = fc.constantFrom(
  ...['SELECT', 'select', 'FROM', 'AS', 'topic', 'clientid', 'newuuid', 'timestamp', 'encode'],
  ...['principal', 'get_user_properties', 'get_mqtt_property', 'x', '__proto__', 'traceid', '_'],
  ...['accountid', 'toString', 'constructor', 'WHERE', 'aws_lambda', 'state'],
);
const sqlToken = fc.oneof(
  word,
  fc.constantFrom('(', ')', ',', '*', "'base64'", "'a/+/b'", "'#'", "''", '1', '0', '-1', '=', '.'),
  fc.constantFrom("'correlation_data'", "'${topic()}'", "'\\'", '9007199254740992', '"', '\n'),
);
const call = fc.constantFrom(
  ...["encode(*, 'base64')", 'topic()', 'topic(2)', 'clientid()', 'principal()', 'timestamp()'],
  ...['newuuid()', 'traceid()', 'accountid()', 'get_user_properties()', "'text'", '42'],
  ...["get_user_properties('id')", "get_mqtt_property('correlation_data')", 'topic(0)'],
);
const madeSql = fc
  .record({
    columns: fc.uniqueArray(fc.tuple(call, fc.oneof(word, fc.constantFrom('a', 'b', 'c'))), {
      selector: ([, alias]) => alias,
      minLength: 1,
      maxLength: 5,
    }),
    filter: fc.constantFrom('#', '+/b', 'a/b', 'a/#', 'a/+', 'a/+', '', 'a/#/b'),
  })
  .map(
    ({ columns, filter }) =>
      `SELECT ${columns.map(([value, alias]) => `${value} AS ${alias}`).join(', ')} FROM '${filter}'`,
  );
const sql = fc.oneof(
  { weight: 5, arbitrary: madeSql },
  { weight: 2, arbitrary: fc.constantFrom(ruleSql('a/+'), ruleSql('a/#')) },
  {
    weight: 4,
    arbitrary: mutatedText(fc.constantFrom(ruleSql('billing/+/charges'), ruleSql('#'))),
  },
  { weight: 2, arbitrary: fc.array(sqlToken, { maxLength: 25 }).map((all) => all.join(' ')) },
  { weight: 1, arbitrary: rawText },
  {
    weight: 1,
    arbitrary: fc.constantFrom('('.repeat(20_000), `SELECT ${'topic() AS a,'.repeat(3_000)}`),
  },
);
const message: fc.Arbitrary<InboundMessage> = fc.record({
  topic: fc.oneof(fc.constantFrom('a/b', 'a', '$aws/rules/x/a/b', '$aws/rules/x', ''), rawText),
  payload: rawBytes,
  clientId: fc.option(rawText, { nil: undefined }),
  principal: fc.option(rawText, { nil: undefined }),
  receivedAt: fc.constant(NOW),
  userProperties: fc.option(
    fc.array(fc.tuple(fc.constantFrom('id', '__proto__', ''), rawText), { maxLength: 3 }),
    { nil: undefined },
  ),
  correlationData: fc.option(rawBytes, { nil: undefined }),
});

/** The SQL of topic rules: refused with its place, or evaluated for any message. */
export const ruleSqls: Target = targetOf({
  name: 'rule-sql',
  share: 10_000,
  reaches: ['refused', 'another version', 'no match', 'evaluated'],
  inputs: fc.record({
    sql,
    version: fc.constantFrom('2016-03-23', '2016-03-23', '2016-03-23', '2015-10-08', ''),
    message,
  }),
  open: () => ({
    check({ sql: text, version, message: arrived }) {
      let statement: ReturnType<typeof parseRuleSql>;
      try {
        statement = parseRuleSql(text, version);
      } catch (error) {
        if (!(error instanceof UnsupportedSqlError)) throw error;
        const { position } = error;
        if (!(position >= 1 && position <= text.length + 1)) fail('no place in the text', position);
        return [version === '2016-03-23' ? 'refused' : 'another version'];
      }
      const context = { accountId: '1', traceId: 't', newUuid: () => 'u' };
      const output = evaluateRule(statement, arrived, context);
      if (output === 'no-match') return ['no match'];
      if (typeof JSON.parse(JSON.stringify(output)) !== 'object') fail('no JSON object', output);
      const aliases = statement.columns.map(({ alias }) => alias);
      const strange = Object.keys(output).filter((name) => !aliases.includes(name));
      if (strange.length > 0) fail('a column that nobody selected', strange);
      return ['evaluated'];
    },
  }),
});

const ARN = 'arn:aws:iot:us-east-1:123456789012';
const THING = '$' + '{iot:Connection.Thing.ThingName}';
/** The rights of a device, as the template gives them. */
const DEVICE_POLICY: PolicyDocument = {
  Statement: [
    allow('iot:Connect', `client/${THING}`),
    allow('iot:Publish', `topic/billing/${THING}/charges`),
    allow('iot:Publish', `topic/$aws/rules/tollbridge_charges/billing/${THING}/charges`),
    allow('iot:Publish', `topic/tollbridge/${THING}/release`),
    allow('iot:Subscribe', `topicfilter/tollbridge/${THING}/receipts`),
    allow('iot:Receive', `topic/tollbridge/${THING}/receipts`),
  ],
};

function allow(action: string, resource: string) {
  return { Effect: 'Allow', Action: action, Resource: [`${ARN}:${resource}`] } as const;
}

const client = fc.oneof(
  { weight: 2, arbitrary: fc.constant('dev-1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('dev-2', '+', '#', '*', '?', '', '$sys', 'a/b', THING),
  },
  { weight: 1, arbitrary: rawText },
);
const asked = fc.oneof(
  fc.constantFrom('billing/dev-1/charges', 'tollbridge/dev-1/receipts'),
  fc.constantFrom('billing/dev-2/charges', 'billing/+/charges', '#', 'tollbridge/+/receipts'),
  client.map((name) => `billing/${name}/charges`),
  client.map((name) => `tollbridge/${name}/receipts`),
  mutatedText(fc.constantFrom('billing/dev-1/charges', 'tollbridge/dev-1/receipts')),
  mutatedText(fc.constant('$aws/rules/tollbridge_charges/billing/dev-1/charges')),
  fc.constantFrom(2_000, 20_000).map((length) => '*'.repeat(length)),
);

/** The device policy: what a client may do never goes beyond its own name (I6). */
export const policies: Target = targetOf({
  name: 'policies',
  share: 9_000,
  reaches: ['connects', 'is refused', 'publishes', 'may not publish', 'subscribes', 'may not read'],
  inputs: fc.record({
    clientId: client,
    topic: asked,
    qos: fc.constantFrom<0 | 1 | 2>(0, 1, 1, 2),
    retain: fc.boolean(),
  }),
  open: () => {
    const options = { policies: [DEVICE_POLICY], region: 'us-east-1', accountId: '123456789012' };
    const rules = createConnectionRules(options);
    return {
      check({ clientId, topic, qos, retain }) {
        const who = { clientId, certificate: undefined };
        const publication = { topic, payload: Buffer.alloc(0), qos, retain };
        const fault = rules.connectFault({ ...who, will: undefined });
        const denied = rules.publishFault(who, publication);
        const unread = rules.subscribeFault(who, topic, qos);
        if (denied === undefined && !topic.split('/').includes(clientId)) {
          fail('it may publish in another name', clientId, topic);
        }
        if (unread === undefined && topic !== `tollbridge/${clientId}/receipts`) {
          fail('it may read what is not its own', clientId, topic);
        }
        if (rules.mayReceive(who, topic) && topic !== `tollbridge/${clientId}/receipts`) {
          fail('it is sent what is not its own', clientId, topic);
        }
        if (filterFault(topic) === undefined) topicMatches(topic, topic);
        return [
          fault === undefined ? 'connects' : 'is refused',
          denied === undefined ? 'publishes' : 'may not publish',
          unread === undefined ? 'subscribes' : 'may not read',
        ];
      },
    };
  },
});

const periodText = fc.oneof(
  fc.constantFrom('2026', '2026-Q4', '2026-11', '2026-11-20', '2026..2026', '0000', '9999..9999'),
  fc
    .tuple(fc.integer({ min: 0, max: 9_999 }), fc.nat(13), fc.nat(32))
    .map(([y, m, d]) => [y, m, d].map((n) => String(n).padStart(2, '0')).join('-')),
  fc.constantFrom('2026-02-30', '2026-13', '2026-Q5', '2026-11..2026-10', '1990..2026', '..', 'Q1'),
);
/** The readers of options: by name, and what has to be true of what each of them gives. */
const READERS: Readonly<Record<string, (text: string) => boolean>> = {
  period: (text) => {
    const { from, to, months } = period(text);
    return from < to && months.length >= 1 && months.length <= PERIOD_MONTHS_MAX;
  },
  moment: (text) => Number.isFinite(Date.parse(moment(text))),
  span: (text) => Number.isSafeInteger(span(text)) && span(text) > 0,
  port: (text) => wholeNumber(0, 65_535)(text) <= 65_535,
  chance: (text) => chance(text) >= 0 && chance(text) <= 1,
  address: (text) => URL.canParse(httpUrl(text)),
  device: (text) => !/[/+#]/.test(deviceName(text)),
  key: (text) => {
    const [key] = gatherKey(text);
    if (key === undefined) return false;
    const [again] = gatherKey(keyText(key));
    return again?.pk === key.pk.toWellFormed() && again.sk === key.sk.toWellFormed();
  },
  id: (text) => candidatesOf(text).every(({ key }) => key !== '' && key.isWellFormed()),
};
const valueText = fc.oneof(
  { weight: 3, arbitrary: periodText },
  { weight: 1, arbitrary: timeNear },
  { weight: 1, arbitrary: dateTime },
  { weight: 1, arbitrary: numberText },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...['90m', '24h', '7d', '0m', '99999d', '65535', '65536', '0.5', '1.5', '.', '1..2', '1e-1'],
      ...['http://127.0.0.1:8000', 'https://x', 'ftp://x', 'http://', 'javascript:1', 'meter-17'],
      ...['charges#dev-1/c-1#ab', 'charges%23dev-1/-%23ab', '%', '/#', 'a#b/', 'int:7', 'b:7', '7'],
    ),
  },
  {
    weight: 2,
    arbitrary: mutatedText(
      fc.constantFrom('2026-11-20..2026-12-19', '24h', 'charges#dev-1/c-1#ab'),
    ),
  },
  { weight: 2, arbitrary: rawText },
  {
    weight: 1,
    arbitrary: fc.constantFrom('9'.repeat(100_000), '..'.repeat(50_000), '%'.repeat(9e4)),
  },
);

/** What is written on a command line: a value that is right, or what commander prints. */
export const commandLines: Target = targetOf({
  name: 'command-line',
  share: 12_000,
  reaches: Object.keys(READERS).flatMap((name) =>
    name === 'id' ? [`${name} taken`] : [`${name} taken`, `${name} refused`],
  ),
  inputs: fc.record({ name: fc.constantFrom(...Object.keys(READERS)), text: valueText }),
  open: () => ({
    check({ name, text }) {
      try {
        if (READERS[name]?.(text) !== true) fail('taken, and not what it should be', name, text);
        return [`${name} taken`];
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        return [`${name} refused`];
      }
    },
  }),
});
