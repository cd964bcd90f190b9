/**
 * Goal: a backend behind a broker that others have made books each message once. Method: the example
 * as a process of its own on Mosquitto, over MQTT 3.1.1, with the bridge and a device beside it;
 * killed and started again while every forward is repeated.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../device/index.ts';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { type Mosquitto, missing, startMosquitto, startProgram } from '../../tools/programs.ts';

const skipped = missing('mosquitto');

describe.skipIf(skipped)('the example of a receiver', () => {
  let mosquitto: Mosquitto;
  let assembly: string;
  let bridge: TestCloud;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    assembly = await assemblyOf(config);
    bridge = await startTestCloud(assembly, {}, { brokerUrl: mosquitto.url });
  });
  afterAll(async () => {
    await bridge.cloud.close();
    await mosquitto.end();
  });

  it('adds every charge to the total once, over a SIGKILL and a copy of each', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollbridge-backend-'));
    const start = () =>
      startProgram(process.execPath, [
        ...['--import', 'tsx', 'examples/4-receive.ts', mosquitto.url, folder],
      ]);
    const first = start();
    await first.prints(/^receiving/m);
    const copies = await mqtt.connectAsync(mosquitto.url);
    const forwards: { readonly topic: string; readonly payload: Buffer }[] = [];
    copies.on('message', (topic, payload) => forwards.push({ topic, payload }));
    await copies.subscribeAsync('booked/#', { qos: 1 });
    const device = await connect({
      url: mosquitto.url,
      deviceId: 'meter-17',
      outbox: join(folder, 'outbox'),
      routes: { charges: { topic: 'billing/meter-17/charges', idField: 'id' } },
    });
    const charge = (kWh: string) => ({ account: 'acme', kWh, at: new Date().toISOString() });
    const publish = (amounts: readonly string[]) =>
      Promise.all(amounts.map((kWh) => device.publish('charges', charge(kWh))));
    await publish(['1.25', '0.1', '0.2', '3']);
    await first.prints(/"total":4.55\}/);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    // The broker keeps these for the session of the process that is gone.
    await publish(['0.001', '10']);
    const second = start();
    await second.prints(/"total":14.551\}/);
    await copies.unsubscribeAsync('booked/#');
    expect(forwards.length).toBeGreaterThanOrEqual(6);
    for (const { topic, payload } of forwards) {
      await copies.publishAsync(topic, payload, { qos: 1 });
    }
    await second.prints(new RegExp(`(a copy[^]*){${forwards.length}}`));
    await Promise.all([device.close(), copies.endAsync()]);
    expect(await second.end('SIGTERM')).toBe(0);
    const totals = JSON.parse(readFileSync(join(folder, 'totals.json'), 'utf8'));
    expect(totals.kWh).toEqual({ acme: 14_551 });
  });
});
