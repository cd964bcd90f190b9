import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { RULE_SQL_VERSION, ruleSql } from '../../../core/message/envelope.ts';
import type { InboundMessage } from '../../../local/contracts.ts';
import {
  evaluateRule,
  type JsonObject,
  parseRuleSql,
  UnsupportedSqlError,
} from '../../../local/iot/rule-sql.ts';

const VERSION = '2016-03-23';

const message: InboundMessage = {
  topic: 'billing/charger-1/charges',
  payload: Buffer.from('{ "id": 1,  "kWh": 10.0 }'),
  clientId: 'charger-1',
  principal: 'a1b2',
  receivedAt: epochMillis(1_795_217_651_000),
};

function evaluate(sql: string, changes: Partial<InboundMessage> = {}): JsonObject | 'no-match' {
  let uuids = 0;
  return evaluateRule(
    parseRuleSql(sql, VERSION),
    { ...message, ...changes },
    {
      accountId: '123456789012',
      traceId: 'trace-1',
      newUuid: () => {
        uuids += 1;
        return `uuid-${uuids}`;
      },
    },
  );
}

/** What one expression gives for a message; undefined when it vanishes from the output. */
function valueFor(expression: string, changes: Partial<InboundMessage> = {}): unknown {
  const output = evaluate(`SELECT ${expression} AS value FROM '#'`, {
    ...changes,
  });
  if (output === 'no-match') throw new Error('the rule does not match');
  expect(Object.keys(output)).toEqual('value' in output ? ['value'] : []);
  return output.value;
}

const mqtt5: Partial<InboundMessage> = {
  userProperties: [
    ['tollbridge-id', 'a'],
    ['other', 'b'],
    ['tollbridge-id', 'c'],
  ],
  correlationData: Buffer.from([0, 255]),
};
const notMqtt: Partial<InboundMessage> = { clientId: undefined, principal: undefined };

describe('rule SQL', () => {
  // Each row: the expression, changes of the message, the value that the AWS IoT developer guide
  // gives for the function ("SQL functions").
  it.each<[string, Partial<InboundMessage>, unknown]>([
    ["encode(*, 'base64')", {}, 'eyAiaWQiOiAxLCAgImtXaCI6IDEwLjAgfQ=='],
    ["encode(*, 'base64')", { payload: Buffer.from([0, 255, 128]) }, 'AP+A'],
    ["encode(*, 'base64')", { payload: Buffer.alloc(0) }, ''],
    ['topic()', {}, 'billing/charger-1/charges'],
    ['topic(1)', {}, 'billing'],
    ['topic(2)', {}, 'charger-1'],
    ['topic(4)', {}, undefined],
    ['topic()', { topic: '$aws/rules/Charges/billing/c/charges' }, 'billing/c/charges'],
    ['topic(1)', { topic: '$aws/rules/Charges/billing/c/charges' }, 'billing'],
    ['clientid()', {}, 'charger-1'],
    ['clientid()', notMqtt, 'n/a'],
    ['principal()', {}, 'a1b2'],
    ['principal()', notMqtt, undefined],
    ['timestamp()', {}, 1_795_217_651_000],
    ['newuuid()', {}, 'uuid-1'],
    ['traceid()', {}, 'trace-1'],
    ['traceid()', notMqtt, undefined],
    ['accountid()', {}, '123456789012'],
    ['get_user_properties()', {}, undefined],
    [
      'get_user_properties()',
      mqtt5,
      [{ 'tollbridge-id': 'a' }, { other: 'b' }, { 'tollbridge-id': 'c' }],
    ],
    ["get_user_properties('tollbridge-id')", mqtt5, ['a', 'c']],
    ["get_user_properties('absent')", mqtt5, undefined],
    ["get_mqtt_property('correlation_data')", mqtt5, 'AP8='],
    ["get_mqtt_property('correlation_data')", {}, undefined],
    ["get_mqtt_property('content_type')", {}, undefined],
    ["get_mqtt_property('response_topic')", {}, undefined],
    ["get_mqtt_property('format_indicator')", {}, 'UNSPECIFIED_BYTES'],
    ["'charges'", {}, 'charges'],
    ['42', {}, 42],
  ])('gives %s as AWS documents it (%#)', (expression, changes, expected) => {
    expect(valueFor(expression, changes)).toEqual(expected);
  });

  it('reads keywords and function names without regard to case, and any white space', () => {
    expect(
      evaluate("select\n\tENCODE( * ,'base64' ) as p,ClientId ( ) As c From 'billing/+/charges'"),
    ).toEqual({ p: message.payload.toString('base64'), c: 'charger-1' });
  });

  it('keeps an alias as it is written, even one named like a keyword or a function', () => {
    expect(evaluate("SELECT topic() AS Topic, 1 AS select, 2 AS from FROM '#'")).toEqual({
      Topic: 'billing/charger-1/charges',
      select: 1,
      from: 2,
    });
  });

  it("runs the statement of the project's own rules, without what MQTT 3.1.1 cannot carry", () => {
    const statement = parseRuleSql(ruleSql('billing/+/charges'), RULE_SQL_VERSION);
    const context = { accountId: '123456789012', traceId: 'trace-1', newUuid: () => 'uuid-1' };
    expect(evaluateRule(statement, message, context)).toEqual({
      body: message.payload.toString('base64'),
      topic: 'billing/charger-1/charges',
      clientId: 'charger-1',
      principal: 'a1b2',
      receivedAt: 1_795_217_651_000,
      deliveryId: 'uuid-1',
    });
  });

  it('draws a new UUID for each newuuid()', () => {
    expect(evaluate("SELECT newuuid() AS a, newuuid() AS b FROM '#'")).toEqual({
      a: 'uuid-1',
      b: 'uuid-2',
    });
  });

  it.each<[string, string, boolean]>([
    ['billing/+/charges', 'billing/charger-1/charges', true],
    ['billing/+/charges', 'billing/charger-1/charges/more', false],
    ['billing/#', 'billing', true],
    ['billing/#', 'billing/a/b', true],
    ['#', '$aws/events/presence/connected/charger-1', false],
    ['+/events/#', '$aws/events/presence', false],
    ['$aws/events/#', '$aws/events/presence', true],
  ])('matches FROM %j against the topic %j: %j', (filter, topic, matches) => {
    const output = evaluate(`SELECT 1 AS one FROM '${filter}'`, { topic });
    expect(output).toEqual(matches ? { one: 1 } : 'no-match');
  });

  it('takes a Basic Ingest message by the name of its rule, whatever FROM says', () => {
    const topic = '$aws/rules/Charges/elsewhere';
    expect(evaluate("SELECT topic() AS t FROM 'billing/+/charges'", { topic })).toEqual({
      t: 'elsewhere',
    });
  });

  // Each row: the statement, what the refusal names, the position of it.
  it.each<[string, string, number]>([
    ["SELECT * FROM 'a'", '*', 8],
    ["SELECT topic() AS t FROM 'a' WHERE topic(1) = 'a'", '"="', 45],
    ["SELECT topic() AS t FROM 'a' WHERE x", 'WHERE', 30],
    ["SELECT id AS id FROM 'a'", 'id', 8],
    ["SELECT topic() FROM 'a'", 'FROM', 16],
    ["SELECT 1 + 1 AS two FROM 'a'", '"+"', 10],
    ["SELECT -1 AS one FROM 'a'", '"-"', 8],
    ["SELECT payload.id AS id FROM 'a'", '"."', 15],
    ["SELECT sha256('x') AS h FROM 'a'", "sha256('x')", 8],
    ["SELECT encode(*, 'hex') AS p FROM 'a'", "encode(*, 'hex')", 8],
    ["SELECT encode('x', 'base64') AS p FROM 'a'", "encode('x', 'base64')", 8],
    ["SELECT encode(id, 'base64') AS p FROM 'a'", 'id', 15],
    ["SELECT topic(0) AS t FROM 'a'", 'topic(0)', 8],
    ["SELECT topic('1') AS t FROM 'a'", "topic('1')", 8],
    ["SELECT topic(1, 2) AS t FROM 'a'", 'topic(1, 2)', 8],
    ["SELECT clientid(1) AS c FROM 'a'", 'clientid(1)', 8],
    ["SELECT get_mqtt_property('qos') AS q FROM 'a'", "get_mqtt_property('qos')", 8],
    ["SELECT get_user_properties(1) AS q FROM 'a'", 'get_user_properties(1)', 8],
    ["SELECT 1 AS a, 2 AS a FROM 'a'", 'a', 21],
    ["SELECT 1 AS 'a' FROM 'a'", "'a'", 13],
    ["SELECT 'it\\'s' AS a FROM 'a'", 'a backslash in a string', 11],
    ["SELECT 'a AS a FROM b", 'a string without an end', 8],
    ['SELECT "a" AS a FROM b', '"\\""', 8],
    ["SELECT 99999999999999999999 AS a FROM 'a'", 'the number 99999999999999999999', 8],
    ["SELECT 1 AS a FROM 'a/#/b'", "'a/#/b'", 20],
    ['SELECT 1 AS a FROM a', 'a', 20],
    ['SELECT 1 AS a', 'the end of the statement', 14],
    ['', 'the end of the statement', 1],
    ["SELECT topic( AS t FROM 'a'", 'AS', 15],
    ["SELECT VALUE 1 FROM 'a'", 'VALUE', 8],
    ["SELECT 1 AS a FROM 'a'; DROP", '";"', 23],
  ])('refuses %j, naming what it met and where', (sql, met, position) => {
    let refusal: unknown;
    try {
      parseRuleSql(sql, VERSION);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(UnsupportedSqlError);
    expect(refusal).toMatchObject({
      position,
      message: expect.stringContaining(`found ${met} at character ${position}; `),
    });
  });

  it.each(['2015-10-08', 'beta', ''])('refuses the SQL version %j', (version) => {
    expect(() => parseRuleSql("SELECT 1 AS a FROM 'a'", version)).toThrow(/2016-03-23 is allowed/);
  });
});
