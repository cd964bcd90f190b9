/**
 * Goal: what the console shows is what happened: verdicts, totals, conflicts, lives, and the fleet's
 * books. Method: the real assembly in the local cloud, real MQTT clients, the console asked over HTTP.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryShown } from '../../local/console/deliveries.ts';
import type { LedgerPage } from '../../local/console/ledger-pages.ts';
import type { Life } from '../../local/console/message-timeline.ts';
import type { QuarantineDetail, QuarantineList } from '../../local/console/quarantine-pages.ts';
import type { Faults } from '../../local/contracts.ts';
import type { Reconciliation } from '../../local/fleet/stats.ts';
import config from '../../tollbridge.config.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';
import { type ConsoleBench, type Problem, startConsoleBench } from './console-fixture.ts';

const AT = new Date().toISOString();
const MONTH = AT.slice(0, 7);
const charge = (id: string, kWh: string, account = 'acme') =>
  `{"id":${JSON.stringify(id)},"account":${JSON.stringify(account)},"kWh":${kWh},"at":"${AT}"}`;

let bench: ConsoleBench;
let thing: Thing;
const topic = 'billing/meter-1/charges';

beforeAll(async () => {
  bench = await startConsoleBench(config);
  thing = await connectThing(bench.bridge.port, 'meter-1');
});
afterAll(async () => {
  await thing.end();
  await bench.close();
});

const hello = () => bench.hello();

async function send(body: string): Promise<void> {
  await thing.publish(topic, body);
  await thing.nextReceipts();
  await bench.bridge.cloud.idle();
}

async function deliveryOf(id: string): Promise<readonly DeliveryShown[]> {
  return (await hello()).deliveries.filter((delivery) => delivery.id === id);
}

describe('the stream', () => {
  it('shows a charge as accepted, its copy as duplicate, and another body as conflict', async () => {
    await send(charge('a-1', '1.25'));
    await send(charge('a-1', '1.25'));
    await send(charge('a-1', '9.99'));
    const verdicts = (await deliveryOf('a-1')).map(({ verdict }) => verdict);
    expect(verdicts).toEqual(['accepted', 'duplicate', 'conflict']);
    const { counts } = await hello();
    expect(counts.verdicts).toMatchObject({ accepted: 1, duplicate: 1, conflict: 1 });
    expect(counts.underWay).toBe(0);
  });

  it('shows what could not be read as rejected, with its reason', async () => {
    await send('{"id":"a-2"}');
    const [delivery] = await deliveryOf('a-2');
    expect(delivery?.verdict).toBe('rejected');
    expect(delivery?.detail).toContain('missing-account');
  });

  it('shows as many verdicts as deliveries when rules repeat messages', async () => {
    const before = (await hello()).counts;
    bench.bridge.cloud.faults = { ...bench.bridge.cloud.faults, duplicate: 1 };
    for (let n = 0; n < 10; n += 1) await thing.publish(topic, charge(`r-${n}`, '0.1'));
    bench.bridge.cloud.faults = { ...bench.bridge.cloud.faults, duplicate: 0 };
    await bench.bridge.cloud.idle();
    const { counts } = await hello();
    expect(counts.underWay).toBe(0);
    expect(counts.verdicts.accepted - before.verdicts.accepted).toBe(10);
    const deliveries = counts.deliveries - before.deliveries;
    expect(deliveries).toBeGreaterThan(10);
    expect(counts.verdicts.duplicate - before.verdicts.duplicate).toBe(deliveries - 10);
    expect(counts.faults.duplicate).toBe(10);
  });

  it('shows as resumed what was booked by a write whose answer was lost', async () => {
    const before = (await hello()).counts.verdicts;
    const { cloud } = bench.bridge;
    cloud.faults = { ...cloud.faults, crashAfterWrite: 1 };
    const struck = bench.next((event) => event.kind === 'fault');
    await thing.publish(topic, charge('crashed', '1'));
    await struck;
    cloud.faults = { ...cloud.faults, crashAfterWrite: 0 };
    await thing.nextReceipts();
    await cloud.idle();
    const [delivery] = await deliveryOf('crashed');
    expect(delivery?.verdict).toBe('resumed');
    const { counts } = await hello();
    expect(counts.verdicts.resumed - before.resumed).toBe(1);
    expect(counts.verdicts.accepted).toBe(before.accepted);
    expect(counts.underWay).toBe(0);
  });

  it('shows hostile values as short, inert text', async () => {
    const id = `<img src=x onerror=alert(1)>\u202e${'i'.repeat(150)}`;
    await send(charge(id, '1', `\u0000<script>${'a'.repeat(1_000)}`));
    const { deliveries } = await hello();
    const shown = deliveries.at(-1);
    expect(shown?.verdict).toBe('accepted');
    expect(shown?.id).toContain('<img src=x onerror=alert(1)>\\u{202e}');
    expect(JSON.stringify(shown)).not.toMatch(/\\u202e|\\u0000/);
    expect(String(shown?.id).length).toBeLessThan(220);
    expect(String(shown?.body).length).toBeLessThan(400);
  });
});

describe('the ledger', () => {
  it('adds amounts up to the last digit, where floats would not', async () => {
    for (const kWh of ['0.1', '0.2', '12345678901234567890.123456789012345678']) {
      await send(charge(`sum-${kWh}`, kWh, 'exact'));
    }
    const { body } = await bench.get(`/api/ledger/totals?account=exact&period=${MONTH}`);
    expect(body).toMatchObject({
      rows: 3,
      isPartial: false,
      totals: [
        {
          account: 'exact',
          unit: 'kWh',
          rows: 3,
          amount: '12345678901234567890.423456789012345678',
        },
      ],
    });
  });

  it('gives the rows of a device page by page, each once', async () => {
    const device = await connectThing(bench.bridge.port, 'meter-pages');
    for (let n = 0; n < 120; n += 1) {
      await device.publish('billing/meter-pages/charges', charge(`p-${n}`, '1'));
    }
    await bench.bridge.cloud.idle();
    await device.end();
    const ids: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { body } = await bench.get<LedgerPage>(
        `/api/ledger?route=charges&device=meter-pages${cursor}`,
      );
      ids.push(...body.rows.map(({ id }) => id));
      cursor = body.next === null ? '' : `&cursor=${body.next}`;
    }
    expect(cursor).toBe('');
    expect(new Set(ids).size).toBe(120);
    expect(ids).toHaveLength(120);
  });

  it('refuses a cursor that no page gave, and a period that is none', async () => {
    for (const path of [
      '/api/ledger?cursor=e30',
      '/api/ledger?cursor=x',
      '/api/ledger?account=a&period=2026-13',
      '/api/ledger?device=d',
    ]) {
      expect((await bench.get(path)).status).toBe(400);
    }
  });
});

describe('the quarantine', () => {
  it('shows both bodies of a conflict, and marks the fields that differ', async () => {
    const { body } = await bench.get<QuarantineList>('/api/quarantine');
    const conflict = body.entries.find(({ reason }) => reason === 'conflict');
    const query = new URLSearchParams({ ...conflict?.key });
    const { body: detail } = await bench.get<QuarantineDetail>(`/api/quarantine/row?${query}`);
    expect(detail).toMatchObject({ isConflict: true, reason: 'conflict', device: 'meter-1' });
    const fields = Object.fromEntries(detail.fields.map((field) => [field.path, field]));
    expect(fields.kWh).toMatchObject({ booked: '1.25', came: '9.99', differs: true });
    expect(fields.account).toMatchObject({ booked: '"acme"', came: '"acme"', differs: false });
  });

  it('has no row of a key that is not there', async () => {
    expect((await bench.get('/api/quarantine/row?pk=charges%23x&sk=y')).status).toBe(404);
  });
});

interface MessageBody {
  readonly life: Life;
  readonly row: readonly (readonly [string, string])[];
}

describe('the life of a message', () => {
  it('tells deliveries, writes, forward, receipts, conflict and release in their order, with the row', async () => {
    const release = { v: 1, route: 'charges', ids: ['a-1'] };
    await thing.publish('tollbridge/meter-1/release', JSON.stringify(release));
    await thing.nextReceipts();
    await bench.bridge.cloud.idle();
    const { body } = await bench.get<MessageBody>('/api/message?pk=charges%23meter-1&id=a-1');
    const kinds = body.life.steps.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'delivery')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'write')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'forward')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'receipt')).toHaveLength(4);
    expect(kinds.slice(0, 2)).toEqual(['delivery', 'write']);
    expect(kinds.indexOf('refused')).toBeLessThan(kinds.indexOf('quarantine'));
    expect(kinds.indexOf('release')).toBeGreaterThan(kinds.indexOf('quarantine'));
    const row = Object.fromEntries(body.row);
    expect(row).toMatchObject({ amount: '1.25', tries: '2' });
    expect(row.releasedAt).toBeDefined();
  });

  it('of one whose id could not be read goes by its body', async () => {
    await send('{"no":"id"}');
    const { deliveries } = await hello();
    const last = deliveries.at(-1);
    expect(last).toMatchObject({ key: null, verdict: 'rejected' });
    const { body } = await bench.get<MessageBody>(`/api/message?hash=${last?.bodyHash}`);
    const kinds = body.life.steps.map(({ kind }) => kind);
    expect(kinds).toEqual(['delivery', 'quarantine', 'receipt']);
  });
});

describe('controls', () => {
  it('change nothing without the token', async () => {
    const { faults } = bench.bridge.cloud;
    expect((await bench.post('/api/faults', { drop: 1 }, 'wrong')).status).toBe(401);
    expect((await bench.post('/api/fleet', { action: 'stop' }, 'wrong')).status).toBe(401);
    expect(bench.bridge.cloud.faults).toEqual(faults);
  });

  it('let a fleet send copies through cut connections, and bill none of them twice', async () => {
    const faults = { duplicate: 0.5, drop: 0.2, loseAnswer: 0.1 };
    expect((await bench.post<{ faults: Faults }>('/api/faults', faults)).body.faults).toMatchObject(
      faults,
    );
    const plan = { action: 'start', devices: 4, perSecond: 50, cuts: 0.1 };
    expect((await bench.post('/api/fleet', plan)).status).toBe(200);
    expect((await bench.post<Problem>('/api/fleet', plan)).body.error).toContain('running');
    let sent = 0;
    await bench.next(({ kind, ...event }) => {
      if (kind === 'delivery' && 'topic' in event && event.topic.includes('fleet-')) sent += 1;
      return sent === 60;
    });
    await bench.post('/api/faults', { duplicate: 0, drop: 0, loseAnswer: 0 });
    await bench.post('/api/fleet', { action: 'cut', cuts: 0 });
    expect((await bench.post('/api/fleet', { action: 'use-an-id-twice' })).status).toBe(200);
    // A fleet that stops ends its connections, and nobody sends this one again.
    const isQuarantined = async () =>
      (await bench.bridge.rows('Quarantine')).some((row) => row.device?.S?.startsWith('fleet-'));
    await expect.poll(isQuarantined, { timeout: 30_000 }).toBe(true);
    await bench.post('/api/fleet', { action: 'stop' });
    const isDone = async () => (await hello()).desk.fleet?.state === 'idle';
    await expect.poll(isDone, { timeout: 30_000 }).toBe(true);
    await bench.bridge.cloud.idle();
    const { headline } = (await hello()).desk;
    if (headline === null) throw new Error('the fleet has no books');
    expect(headline.copies).toBeGreaterThan(0);
    expect(headline.deliveries).toBe(headline.meant + headline.copies);
    expect(headline).toMatchObject({ booked: headline.meant, billedTwice: 0 });
    expect(headline.bookedAmount).toBe(headline.meantAmount);
    expect(Number(headline.deliveredAmount)).toBeGreaterThan(Number(headline.meantAmount));
    const { body } = await bench.get<Reconciliation>('/api/reconciliation');
    expect(body).toMatchObject({ isExact: true, rows: headline.meant, missing: 0, billedTwice: 0 });
  }, 60_000);

  it('leave no event unread, and no listener failed', async () => {
    expect((await hello()).counts.unread).toBe(0);
    expect(bench.failures).toEqual([]);
  });
});
