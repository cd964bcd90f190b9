/** The console's fleet: what it means, and whether its statistics find what is billed twice or missing. */
import { describe, expect, it } from 'vitest';
import { sumOf } from '../../core/base/decimal.ts';
import { payload, sequence, topicLevel } from '../../core/config/sources.ts';
import { seededChance } from '../../local/chance.ts';
import { contradicted, drawCharge, fleetRoute } from '../../local/fleet/charges.ts';
import { FleetStats } from '../../local/fleet/stats.ts';
import { NOW, routeOf, windowRouteOf } from '../../tools/handlers/samples.ts';

describe('the fleet', () => {
  const chance = seededChance(1);

  it('says its charges where the route looks for them', () => {
    const route = routeOf({
      topic: 'site/+/+/bill',
      device: topicLevel(3),
      id: payload('meta.id'),
      entry: {
        account: payload('who.account'),
        amount: payload('meter.kWh'),
        unit: 'kWh',
        occurredAt: payload('meta.at'),
      },
    });
    const charge = drawCharge({ route, run: 'run', chance }, 'fleet-01', 1, NOW);
    expect(charge.topic).toBe('site/fleet/fleet-01/bill');
    expect(JSON.parse(charge.body)).toMatchObject({
      meta: { id: 'run-1', at: '2026-11-20T09:00:51.000Z' },
      meter: { kWh: Number(charge.amount) },
    });
    expect(contradicted(charge, `1${charge.amount}`)).toContain(`"kWh":1${charge.amount}`);
  });

  it('says why it cannot speak to a route', () => {
    expect(fleetRoute([windowRouteOf()])).toContain('no exactly-once route');
    expect(fleetRoute([routeOf({ receipts: 'none' })])).toContain('no receipts');
    expect(fleetRoute([routeOf({ id: sequence('seq', { epoch: 'boot' }) })])).toContain('sequence');
    expect(fleetRoute([routeOf()])).toMatchObject({ name: 'charges' });
  });

  it('counts a row that a second write makes as billed twice, and a copy as none', () => {
    const stats = new FleetStats('kWh');
    const charge = drawCharge({ route: routeOf(), run: 'run', chance }, 'd', 1, NOW);
    const body = Buffer.from(charge.body);
    stats.mean(charge);
    const write = (deliveryId: string, isNew: boolean) =>
      stats.written({
        kind: 'booking',
        table: 'ledger',
        key: { pk: 'charges#d', id: deliveryId },
        verdict: isNew ? 'accepted' : 'duplicate',
        deliveryId,
        bodyHash: '',
        body,
        added: 1,
        tries: 1,
        isNew,
      });
    for (const [name, isNew] of [
      ['first', true],
      ['copy', false],
    ] as const) {
      stats.delivered(body);
      write(name, isNew);
    }
    const { amount } = charge;
    expect(stats.headline()).toMatchObject({
      meant: 1,
      deliveries: 2,
      copies: 1,
      booked: 1,
      billedTwice: 0,
      bookedAmount: sumOf([amount]),
    });
    write('second', true);
    expect(stats.headline()).toMatchObject({
      booked: 2,
      billedTwice: 1,
      bookedAmount: sumOf([amount, amount]),
    });
  });

  it('finds what is billed twice or missing in the rows that it reads', () => {
    const stats = new FleetStats('kWh');
    const charges = [1, 2, 3].map((n) =>
      drawCharge({ route: routeOf(), run: 'run', chance }, 'd', n, NOW),
    );
    for (const charge of charges) stats.mean(charge);
    const rows = charges.map(({ body, account, amount, occurredAt }) => ({
      ...{ body: Buffer.from(body), account, amount, occurredAt },
    }));
    const [first, second, third] = rows;
    if (!first || !second || !third) throw new Error('three rows were drawn');
    expect(stats.reconcile(rows)).toMatchObject({ isExact: true, missing: 0, billedTwice: 0 });
    expect(stats.reconcile([...rows, first])).toMatchObject({ isExact: false, billedTwice: 1 });
    expect(stats.reconcile([first, second])).toMatchObject({ isExact: false, missing: 1 });
    for (const changed of [
      { amount: `${third.amount}1` },
      { account: first.account === 'account-1' ? 'account-2' : `${third.account}0` },
      { occurredAt: '2026-11-20T09:00:52.000Z' },
    ]) {
      const wrong = { ...third, ...changed };
      const found = { isExact: false, missing: 0, billedTwice: 0, misread: 1 };
      expect(stats.reconcile([first, second, wrong])).toMatchObject(found);
    }
  });
});
