import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { RECEIVED_AT_ATTRIBUTE, readEnvelope, ruleSql } from '../../../core/message/envelope.ts';
import { redrivenAttributes } from '../../../core/operations/redrive.ts';
import { BODY, NOW } from '../../../tools/handlers/samples.ts';

const base64 = Buffer.from(BODY).toString('base64');
const ruleEnvelope = {
  body: base64,
  topic: 'billing/dev-1/charges',
  clientId: 'dev-1',
  principal: 'p-1',
  receivedAt: NOW,
  deliveryId: 'd-1',
};
const errorEnvelope = {
  ruleName: 'tollbridge_charges',
  topic: '$aws/rules/tollbridge_charges/billing/dev-1/charges',
  cloudwatchTraceId: 'trace-1',
  clientId: 'dev-1',
  base64OriginalPayload: base64,
  failures: [{ failedAction: 'SqsAction', errorMessage: 'denied' }],
};

function deliveryOf(envelope: unknown) {
  const reading = readEnvelope(envelope, epochMillis(5_000));
  if (!reading.ok) throw new Error(reading.detail);
  return reading.delivery;
}

describe('readEnvelope', () => {
  it("reads the rule's envelope, with the rule's own clock and id", () => {
    const delivery = deliveryOf(ruleEnvelope);
    expect({ ...delivery, body: Buffer.from(delivery.body).toString() }).toEqual({
      deliveryId: 'd-1',
      topic: 'billing/dev-1/charges',
      body: BODY,
      receivedAt: NOW,
      clientId: 'dev-1',
      principal: 'p-1',
    });
  });

  it("reads the error action's envelope: the trace id names it, the arrival dates it", () => {
    const delivery = deliveryOf(errorEnvelope);
    expect({ ...delivery, body: Buffer.from(delivery.body).toString() }).toEqual({
      deliveryId: 'trace-1',
      topic: 'billing/dev-1/charges',
      body: BODY,
      receivedAt: 5_000,
      clientId: 'dev-1',
      principal: undefined,
    });
  });

  it('takes a receivedAt from the epoch to the end of the year 9999', () => {
    const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    for (const receivedAt of [0, last]) {
      expect(deliveryOf({ ...ruleEnvelope, receivedAt }).receivedAt).toBe(receivedAt);
    }
    for (const receivedAt of [-1, last + 1, 0.5, '0']) {
      expect(readEnvelope({ ...ruleEnvelope, receivedAt }, NOW).ok).toBe(false);
    }
  });

  it('keeps any bytes of a payload, and none', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    const body = Buffer.from(bytes).toString('base64');
    expect([...deliveryOf({ ...ruleEnvelope, body }).body]).toEqual([...bytes]);
    expect(deliveryOf({ ...ruleEnvelope, body: '' }).body).toHaveLength(0);
  });

  it('knows no client where the message did not come over MQTT', () => {
    expect(deliveryOf({ ...ruleEnvelope, clientId: 'n/a' }).clientId).toBeUndefined();
    expect(deliveryOf({ ...ruleEnvelope, clientId: undefined }).clientId).toBeUndefined();
    expect(deliveryOf({ ...ruleEnvelope, clientId: 7, principal: {} })).toMatchObject({
      clientId: undefined,
      principal: undefined,
    });
  });

  it('keeps MQTT 5 user properties in order, repeats too, and correlation data', () => {
    const userProperties = [
      { a: '1' },
      { b: '' },
      { a: '2' },
      { n: 7 },
      null,
      'x',
      { __proto__: null },
    ];
    expect(deliveryOf({ ...ruleEnvelope, userProperties, correlationData: 'AAE=' })).toMatchObject({
      userProperties: [
        ['a', '1'],
        ['b', ''],
        ['a', '2'],
      ],
      correlationData: 'AAE=',
    });
  });

  it('knows no MQTT 5 properties on the error-action path, whatever its envelope says', () => {
    const delivery = deliveryOf({
      ...errorEnvelope,
      userProperties: [{ id: 'c-1' }],
      correlationData: 'AAE=',
    });
    expect(delivery).not.toHaveProperty('userProperties');
    expect(delivery).not.toHaveProperty('correlationData');
  });

  it.each([undefined, ''])(
    'names a delivery of the error action by its transport where its trace is %j',
    (trace) => {
      const envelope = { ...errorEnvelope, cloudwatchTraceId: trace };
      expect(readEnvelope(envelope, NOW, 'request-1')).toMatchObject({
        ok: true,
        delivery: { deliveryId: 'request-1', topic: 'billing/dev-1/charges', clientId: 'dev-1' },
      });
      expect(readEnvelope(errorEnvelope, NOW, 'request-1')).toMatchObject({
        delivery: { deliveryId: 'trace-1' },
      });
    },
  );

  it.each([
    { ...ruleEnvelope, body: undefined },
    { ...ruleEnvelope, body: '' },
    { ...errorEnvelope, base64OriginalPayload: null },
  ])('reads a payload without bytes: %j', (envelope) => {
    expect(deliveryOf(envelope)).toMatchObject({
      topic: 'billing/dev-1/charges',
      clientId: 'dev-1',
    });
    expect(deliveryOf(envelope).body).toHaveLength(0);
  });

  it('tells the topic of what it cannot read, without the prefix of Basic Ingest', () => {
    const envelope = { ...errorEnvelope, cloudwatchTraceId: '' };
    expect(readEnvelope(envelope, NOW)).toMatchObject({
      ok: false,
      topic: 'billing/dev-1/charges',
    });
    expect(readEnvelope({}, NOW)).toMatchObject({ ok: false, topic: undefined });
  });

  it.each([
    [null, 'not a JSON object'],
    [undefined, 'not a JSON object'],
    ['text', 'not a JSON object'],
    [[ruleEnvelope], 'not a JSON object'],
    [{}, 'receivedAt'],
    [{ ...ruleEnvelope, receivedAt: String(NOW) }, 'receivedAt'],
    [{ ...ruleEnvelope, receivedAt: -1 }, 'receivedAt'],
    [{ ...ruleEnvelope, receivedAt: Number.NaN }, 'receivedAt'],
    [{ ...ruleEnvelope, receivedAt: 1e300 }, 'receivedAt'],
    [{ ...ruleEnvelope, receivedAt: NOW + 0.5 }, 'receivedAt'],
    [{ ...ruleEnvelope, deliveryId: '' }, 'deliveryId'],
    [{ ...ruleEnvelope, deliveryId: 7 }, 'deliveryId'],
    [{ ...ruleEnvelope, topic: undefined }, 'topic'],
    [{ ...ruleEnvelope, body: { text: 'x' } }, 'base64'],
    [{ ...ruleEnvelope, body: 'AAA' }, 'base64'],
    [{ ...ruleEnvelope, body: 'AA=A' }, 'base64'],
    [{ ...ruleEnvelope, body: 'A-_A' }, 'base64'],
    [{ ...ruleEnvelope, body: 'AAAA\nAAA' }, 'base64'],
    [{ ...errorEnvelope, cloudwatchTraceId: undefined }, 'deliveryId'],
    [{ ...errorEnvelope, base64OriginalPayload: 7 }, 'base64'],
    [{ ...errorEnvelope, topic: 7 }, 'topic'],
  ])('refuses %j', (envelope, detail) => {
    const reading = readEnvelope(envelope, NOW);
    expect(reading.ok ? 'read' : reading.detail).toContain(detail);
  });
});

describe('ruleSql', () => {
  it('makes every field that the envelope is read by, the body as base64', () => {
    const sql = ruleSql('billing/+/charges');
    expect(sql).toContain("encode(*, 'base64') AS body");
    for (const field of Object.keys(ruleEnvelope)) expect(sql).toContain(` AS ${field}`);
    expect(sql).toContain('newuuid() AS deliveryId');
    expect(sql).toContain(
      "get_user_properties() AS userProperties, get_mqtt_property('correlation_data') AS correlationData FROM",
    );
    expect(sql.endsWith("FROM 'billing/+/charges'")).toBe(true);
  });
});

describe('a dead letter that is redriven', () => {
  const sentAt = epochMillis(1_000);
  const other = { trace: { dataType: 'String', stringValue: 'x' } } as const;

  it.each([
    ['tells no time', '{"cloudwatchTraceId":"a"}'],
    ['is no object', '"receivedAt"'],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is no JSON', '{"receivedAt":1'],
  ])('takes along when it was first sent where its envelope %s', (_, body) => {
    expect(redrivenAttributes(body, sentAt, other)).toEqual({
      ...other,
      [RECEIVED_AT_ATTRIBUTE]: { dataType: 'Number', stringValue: '1000' },
    });
  });

  it('goes as it is where its envelope tells the time, or an earlier redrive has noted it', () => {
    expect(redrivenAttributes('{"receivedAt":5}', sentAt, other)).toEqual(other);
    const noted = { [RECEIVED_AT_ATTRIBUTE]: { dataType: 'Number', stringValue: '7' } } as const;
    expect(redrivenAttributes('{}', sentAt, noted)).toEqual(noted);
  });
});
