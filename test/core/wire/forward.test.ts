import { describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX, MQTT_PAYLOAD_BYTES_MAX } from '../../../core/base/limits.ts';
import { deduplicated } from '../../../core/guarantees/deduplicated/guarantee.ts';
import { exactlyOnce } from '../../../core/guarantees/exactly-once/guarantee.ts';
import { latest } from '../../../core/guarantees/latest/guarantee.ts';
import { bookingIdOf } from '../../../core/message/id.ts';
import { type Forward, forwardOf } from '../../../core/wire/forward.ts';
import {
  bodyWith,
  messageOf,
  routeOf,
  stateRouteOf,
  windowRouteOf,
} from '../../../tools/handlers/samples.ts';

const TOPIC = 'billing/dev-1/charges';

function forwardWith(body: string, changes: Partial<Forward> = {}) {
  const { device, id, key, body: text, isJson } = messageOf(body);
  return forwardOf({
    route: routeOf().name,
    template: 'booked/{device}/charges',
    topic: TOPIC,
    device,
    id,
    forwardId: bookingIdOf(key),
    body: text,
    isJson,
    mark: undefined,
    ...changes,
  });
}

function publicationOf(body: string, template = 'booked/{device}/charges') {
  const reading = forwardWith(body, { template });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.publication;
}

describe('the name that receivers remember', () => {
  it('is that of the booking for a ledger, whichever delivery booked it', () => {
    const message = messageOf();
    expect(exactlyOnce.forwardId(routeOf(), message, 'd-1')).toBe('charges#dev-1#c-1');
    expect(exactlyOnce.forwardId(routeOf(), message, 'd-2')).toBe('charges#dev-1#c-1');
  });

  it('holds the owner in a window, and the version where the newest value counts', () => {
    const inWindow = messageOf(undefined, {}, windowRouteOf());
    expect(deduplicated.forwardId(windowRouteOf(), inWindow, 'd-1')).toBe('events#dev-1#c-1#d-1');
    const newest = messageOf(undefined, {}, stateRouteOf());
    expect(latest.forwardId(stateRouteOf(), newest, 'd-1')).toBe(
      `status#dev-1#${TOPIC}#${Date.UTC(2026, 10, 20, 8, 59)}`,
    );
  });
});

describe('a forward', () => {
  it('goes out at QoS 1 under its booking id, in envelope and user property', () => {
    const publication = publicationOf(bodyWith());
    expect(publication).toMatchObject({
      topic: 'booked/dev-1/charges',
      qos: 1,
      userProperties: [['tollbridge-id', 'charges#dev-1#c-1']],
    });
    expect(JSON.parse(publication.payload)).toEqual({
      v: 1,
      'tollbridge-id': 'charges#dev-1#c-1',
      route: 'charges',
      device: 'dev-1',
      id: 'c-1',
      body: JSON.parse(bodyWith()),
    });
  });

  it('carries the body as the very text that was sent', () => {
    const body = ` ${bodyWith({ n: '9007199254740993', m: '1.10', e: '1E5', s: '"\\u00e9/é"' })}\n`;
    const { payload } = publicationOf(body);
    expect(payload.endsWith(`"body":${body}}`)).toBe(true);
  });

  it('carries an integer id with every digit', () => {
    const { payload } = publicationOf(bodyWith({ id: '9007199254740993' }));
    expect(payload).toContain('"tollbridge-id":"charges#dev-1#int:9007199254740993"');
    expect(payload).toContain('"id":9007199254740993,');
  });

  it('is JSON whatever the id holds', () => {
    const id = '","body":{"kWh":0},"x":"\n\u0000';
    const { payload } = publicationOf(bodyWith({ id: JSON.stringify(id) }));
    expect(JSON.parse(payload)).toMatchObject({ id, body: { kWh: 12.5 } });
  });

  it.each([
    ['booked/{device}/charges', 'booked/dev-1/charges'],
    ['booked/{topic}', 'booked/billing/dev-1/charges'],
    ['{route}/{route}', 'charges/charges'],
    ['all', 'all'],
  ])('on %s goes to %s', (forward, topic) => {
    expect(publicationOf(bodyWith(), forward).topic).toBe(topic);
  });

  it('replaces no placeholder that a topic brings in', () => {
    const topic = 'billing/{route}/charges';
    const device = '{route}';
    const reading = forwardWith(bodyWith(), { template: 'booked/{device}/{topic}', topic, device });
    expect(reading).toMatchObject({
      ok: true,
      publication: { topic: 'booked/{route}/billing/{route}/charges' },
    });
  });

  it('is refused when its topic is too long, too deep or has a wildcard', () => {
    const refusal = (template: string, topic: string) => {
      const reading = forwardWith(bodyWith(), { template, topic });
      return reading.ok ? 'published' : reading.detail;
    };
    expect(refusal('booked/{topic}', 'x'.repeat(250))).toContain('256 bytes');
    expect(refusal('booked/{topic}', 'a/b/c/d/e/f/g/h')).toContain('7 slashes');
    expect(refusal('booked/{topic}', 'a/+')).toContain('wildcard');
  });

  it('of the largest body with the longest id fits IoT Core’s payload', () => {
    const id = JSON.stringify('\u0000'.repeat(256));
    const { payload } = publicationOf(bodyWith({ id }).padEnd(BODY_BYTES_MAX, ' '));
    expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MQTT_PAYLOAD_BYTES_MAX);
  });

  it.each(['duplicate', 'unverified'] as const)(
    'that is marked %s says so in envelope and user property, after its id',
    (mark) => {
      const reading = forwardWith(bodyWith(), { mark });
      if (!reading.ok) throw new Error(reading.detail);
      expect(JSON.parse(reading.publication.payload)).toMatchObject({ [mark]: true });
      expect(reading.publication.userProperties).toEqual([
        ['tollbridge-id', 'charges#dev-1#c-1'],
        [mark, 'true'],
      ]);
    },
  );

  it('without an id, or of a body that is not JSON, leaves the id out and carries the bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    for (const body of [bytes, 'not JSON', '{"a":1}']) {
      const reading = forwardWith(bodyWith(), { id: undefined, body, isJson: false });
      if (!reading.ok) throw new Error(reading.detail);
      const { bodyBase64, ...envelope } = JSON.parse(reading.publication.payload);
      expect(Buffer.from(bodyBase64, 'base64').equals(Buffer.from(body))).toBe(true);
      expect(Object.keys(envelope)).toEqual(['v', 'tollbridge-id', 'route', 'device']);
    }
  });

  it('of the largest body that is not JSON fits IoT Core’s payload', () => {
    const body = new Uint8Array(BODY_BYTES_MAX).fill(255);
    const id = { kind: 'text', text: '\u0000'.repeat(256) } as const;
    const changes = { id, forwardId: `${'r'.repeat(300)}${id.text}`, body, isJson: false };
    const reading = forwardWith(bodyWith(), changes);
    if (!reading.ok) throw new Error(reading.detail);
    expect(Buffer.byteLength(reading.publication.payload)).toBeLessThanOrEqual(
      MQTT_PAYLOAD_BYTES_MAX,
    );
  });
});
