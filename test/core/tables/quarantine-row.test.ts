import { describe, expect, it } from 'vitest';
import type { Rejection } from '../../../core/message/reasons.ts';
import { quarantineRowOf } from '../../../core/tables/quarantine-row.ts';
import { BODY, deliveryOf } from '../../../tools/handlers/samples.ts';

const HASH = 'b'.repeat(64);
const rejection: Rejection = {
  reason: 'late',
  detail: 'too old',
  bodyHash: HASH,
  device: 'dev-1',
  id: { kind: 'integer', digits: '7' },
  answerTo: 'dev-1',
};

describe('a quarantine row', () => {
  it('holds the reason, the whole body and where it came from', () => {
    expect(quarantineRowOf('charges', deliveryOf(), rejection)).toEqual({
      key: { pk: 'charges#dev-1', sk: `int:7#${HASH}` },
      route: 'charges',
      device: 'dev-1',
      id: 'int:7',
      reason: 'late',
      detail: 'too old',
      topic: 'billing/dev-1/charges',
      body: BODY,
      bodyHash: HASH,
      clientId: 'dev-1',
      principal: 'principal-1',
      receivedAt: '2026-11-20T09:00:51.000Z',
      routeDay: 'charges#2026-11-20',
      deliveryId: 'delivery-1',
      fields: null,
      bookedBody: null,
      bookedAt: null,
    });
  });

  it('stands under - where device or id is not known, and has every attribute all the same', () => {
    const delivery = deliveryOf('', { clientId: undefined, principal: undefined });
    const row = quarantineRowOf('charges', delivery, {
      ...rejection,
      device: undefined,
      id: undefined,
    });
    expect(row.key).toEqual({ pk: 'charges#-', sk: `-#${HASH}` });
    expect(row).toMatchObject({
      device: null,
      id: null,
      clientId: null,
      principal: null,
      body: '',
    });
    expect(Object.values(row)).not.toContain(undefined);
  });

  it('keeps a body that is not UTF-8 as its bytes, and a byte order mark as text', () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0x7b);
    expect(quarantineRowOf('charges', deliveryOf(bytes), rejection).body).toEqual(bytes);
    expect(quarantineRowOf('charges', deliveryOf('\ufeff{}'), rejection).body).toBe('\ufeff{}');
  });

  it('of a conflict keeps the booked body beside the later one', () => {
    const evidence = {
      fields: ['kWh'],
      bookedBody: '{"kWh":1}',
      bookedAt: '2026-01-01T00:00:00.000Z',
    };
    expect(quarantineRowOf('charges', deliveryOf(), rejection, evidence)).toMatchObject({
      body: BODY,
      ...evidence,
    });
  });

  it('is the same for every try of a delivery, so that no try makes a second one', () => {
    const row = quarantineRowOf('charges', deliveryOf(), rejection);
    expect(quarantineRowOf('charges', deliveryOf(), rejection)).toEqual(row);
  });
});
