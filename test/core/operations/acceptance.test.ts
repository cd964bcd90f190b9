/** Goal: an operator's word books what the device said, under a key that can never be billed twice. */
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../../core/base/hash.ts';
import type { Route } from '../../../core/config/route.ts';
import { all, correlationData, payload, userProperty } from '../../../core/config/sources.ts';
import type { Delivery } from '../../../core/message/envelope.ts';
import { readMessage } from '../../../core/message/message.ts';
import type { Reason } from '../../../core/message/reasons.ts';
import { acceptanceOf, type Quarantined, spareKeyOf } from '../../../core/operations/acceptance.ts';
import { deliveryFromRow } from '../../../core/tables/delivery-from-row.ts';
import { quarantineRowOf } from '../../../core/tables/quarantine-row.ts';
import {
  BODY,
  bodyWith,
  deliveryOf,
  messageOf,
  routeOf,
  stateRouteOf,
  windowRouteOf,
} from '../../../tools/handlers/samples.ts';

/** The row of a delivery that a table or the clock refused, though it holds a message. */
function rowOf(route: Route, reason: Reason, delivery: Delivery = deliveryOf()): Quarantined {
  const reading = readMessage(route, delivery);
  const known =
    reading.kind === 'rejected'
      ? reading.rejection
      : { ...reading.message, answerTo: reading.message.device };
  return quarantineRowOf(route.name, delivery, { ...known, reason, detail: 'why' });
}

describe('on a billing route', () => {
  it.each(['conflict', 'late', 'early', 'refused-by-store'] as const)(
    'what was refused as %s is booked as the device said it',
    (reason) => {
      const delivery = deliveryOf(bodyWith({ at: '"2029-01-01T00:00:00Z"' }));
      const acceptance = acceptanceOf(routeOf(), rowOf(routeOf(), reason, delivery));
      if (acceptance.kind !== 'book') throw new Error(acceptance.kind);
      expect(acceptance.message.key).toEqual({ pk: 'charges#dev-1', id: 'c-1' });
      expect(acceptance.message.facts).toMatchObject({ entry: { amount: '12.5' } });
      expect(acceptance.delivery).toEqual(delivery);
    },
  );

  it('bytes that are no text come back as they were', () => {
    const route = windowRouteOf({ id: userProperty('id'), forward: 'x/{device}' });
    const body = Buffer.from([0xff, 0x00, 0x80]);
    const delivery = deliveryOf(body, { userProperties: [['id', 'int:7']] });
    const acceptance = acceptanceOf(route, rowOf(route, 'conflict', delivery));
    expect(acceptance).toMatchObject({ kind: 'forward', delivery: { body } });
  });

  it('the spare key names the body, so two conflicts of one id are two bookings', () => {
    const [one, other] = [messageOf(BODY), messageOf(bodyWith({ kWh: '13' }))];
    expect(spareKeyOf(one)).toEqual({ pk: 'charges#dev-1', id: `c-1~${one.bodyHash}` });
    expect(spareKeyOf(one).id).not.toBe(spareKeyOf(other).id);
  });

  it.each([
    ['user property', userProperty('id'), { userProperties: [['id', 'abc:1']] }, 'str:abc:1'],
    ['correlation data', correlationData(), { correlationData: 'AQI=' }, 'cor:AQI='],
    [
      'joined parts',
      all(userProperty('a'), payload('id'), correlationData()),
      { userProperties: [['a', 'x~y']], correlationData: 'AQI=' },
      'all:["x~y","c-1","cor:AQI="]',
    ],
  ] as const)('an id of %s, which no row keeps, is put back', (_, id, changes, key) => {
    const route = routeOf({ id });
    const row = rowOf(route, 'conflict', deliveryOf(BODY, changes));
    expect(row.id).toBe(key);
    const acceptance = acceptanceOf(route, row);
    expect(acceptance).toMatchObject({ kind: 'book', message: { key: { id: key } } });
  });

  it('a delivery of the wrong device stays refused where the route trusts the topic by now', () => {
    const delivery = deliveryOf(BODY, { clientId: 'other' });
    const trusting = routeOf({ trustTopicLevel: 'a gateway speaks for its meters' });
    const acceptance = acceptanceOf(trusting, rowOf(routeOf(), 'wrong-device', delivery));
    expect(acceptance).toMatchObject({ kind: 'refused' });
  });

  it('nothing is put back where no id could be read', () => {
    const route = routeOf({ id: all(userProperty('a'), correlationData()) });
    const kept = { ...rowOf(routeOf(), 'late'), id: null };
    expect(deliveryFromRow(route, kept)).not.toHaveProperty('userProperties');
    const single = routeOf({ id: userProperty('a') });
    expect(deliveryFromRow(single, kept)).not.toHaveProperty('userProperties');
  });

  it('an id that could not be read then, and can be now, is the one it is booked under', () => {
    const row = { ...rowOf(routeOf(), 'late'), id: null };
    expect(acceptanceOf(routeOf(), row)).toMatchObject({
      kind: 'book',
      message: { key: { id: 'c-1' } },
    });
  });

  it.each(['all:{"no":"list"}', 'all:[1,2,3]', 'all:[', 'none of joined parts'])(
    'a row whose id %j is no longer that of the route is refused, not guessed at',
    (id) => {
      const route = routeOf({ id: all(userProperty('a'), payload('id')) });
      const delivery = deliveryOf(BODY, { userProperties: [['a', 'x']] });
      const acceptance = acceptanceOf(route, { ...rowOf(route, 'conflict', delivery), id });
      expect(acceptance).toMatchObject({ kind: 'refused' });
    },
  );

  it.each([
    ['wrong-device', deliveryOf(BODY, { clientId: 'other' }), /nobody knows whose it is/],
    ['unforwardable', deliveryOf(), /booked already.*forward-again/],
    ['invalid-body', deliveryOf('{'), /holds no message.*invalid-body.*by hand/],
    ['missing-account', deliveryOf(bodyWith({ account: undefined })), /missing-account/],
    ['missing-id', deliveryOf(bodyWith({ id: undefined })), /missing-id/],
    ['wrong-topic', deliveryOf(BODY, { topic: 'x' }), /wrong-topic/],
  ] as const)('%s is refused with what to do instead', (reason, delivery, why) => {
    const acceptance = acceptanceOf(routeOf(), rowOf(routeOf(), reason, delivery));
    expect(acceptance).toEqual({ kind: 'refused', why: expect.stringMatching(why) });
  });

  it('a gateway’s message under another reason than its device still needs the right client', () => {
    const row = rowOf(routeOf(), 'late', deliveryOf(BODY, { clientId: 'other' }));
    expect(acceptanceOf(routeOf(), row)).toMatchObject({ kind: 'refused' });
  });

  it('a row whose body or topic was changed by hand is refused', () => {
    const row = rowOf(routeOf(), 'conflict');
    const changed = { ...row, body: bodyWith({ kWh: '99' }) };
    expect(acceptanceOf(routeOf(), changed)).toMatchObject({
      why: expect.stringMatching(/row was changed/),
    });
  });

  it('a row whose id is read from elsewhere by now is refused, not booked under a new id', () => {
    const row = rowOf(routeOf(), 'conflict');
    const moved = routeOf({ id: payload('account') });
    expect(acceptanceOf(moved, row)).toMatchObject({
      why: expect.stringMatching(/reads the id acme .* read c-1 when/),
    });
  });

  it('what could not be read, and can be since the route was mended, is booked', () => {
    const body = bodyWith({ account: undefined, who: '"acme"' });
    const row = rowOf(routeOf(), 'missing-account', deliveryOf(body));
    const mended = routeOf({ entry: { ...routeOf().entry, account: payload('who') } });
    expect(acceptanceOf(mended, row).kind).toBe('book');
  });
});

describe('on other routes', () => {
  it.each(['conflict', 'late'] as const)(
    'a %s in a window is forwarded under its own name',
    (reason) => {
      const row = rowOf(windowRouteOf(), reason);
      const hash = bodyHashOf('billing/dev-1/charges', Buffer.from(BODY));
      expect(acceptanceOf(windowRouteOf(), row)).toMatchObject({
        kind: 'forward',
        forwardId: `events#dev-1#c-1~${hash}`,
      });
    },
  );

  it.each([
    ['early', windowRouteOf(), /would be forwarded twice.*clock/],
    ['refused-by-store', windowRouteOf(), /would be forwarded twice/],
    ['conflict', windowRouteOf({ mode: 'shadow' }), /shadow mode forwards everything/],
    ['conflict', windowRouteOf({ forward: null }), /forwards nothing/],
    ['conflict', stateRouteOf(), /newest value/],
    ['early', stateRouteOf(), /newest value/],
  ] as const)(
    '%s is refused where it could come twice or replace a value',
    (reason, route, why) => {
      expect(acceptanceOf(route, rowOf(route, reason))).toEqual({
        kind: 'refused',
        why: expect.stringMatching(why),
      });
    },
  );
});
