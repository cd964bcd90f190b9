/**
 * Goal: a client in another language keeps the promise with nothing but docs/protocol.md. Method:
 * the example for Python runs as a process of its own, first against the local cloud behind a proxy
 * that cuts connections, then against a scripted broker that says what no bridge would.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../core/base/hash.ts';
import { systemClock } from '../../core/base/time.ts';
import { openAuthority } from '../../local/certificates/authority.ts';
import { seededChance } from '../../local/chance.ts';
import { createCuttingProxy } from '../../local/faults/cutting-proxy.ts';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { REDELIVERING_SOON, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { type Program, run } from '../../tools/programs.ts';
import {
  type Closing,
  clientFiles,
  fileOf,
  folder,
  isMissing,
  python,
  SCRIPT,
  type Station,
  stationOf,
} from './python-station.ts';
import { type ScriptedBroker, type Sent, startScriptedBroker } from './scripted-broker.ts';

const closing: Closing = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Digits that a float would not keep, and white space that a parser would not. */
function charge(serial: number): string {
  return `{"serial": ${serial}, "account":"acme","kWh":1.${serial}00000000000000000001,"at":"${new Date().toISOString()}"}`;
}

function bookedIn(printed: string): readonly string[] {
  return [...printed.matchAll(/^(?:accepted|duplicate) (\S+)$/gm)].map(([, id]) => id ?? '');
}

describe.runIf(isMissing && process.env.CI === 'true')('Python with Paho', () => {
  it('is installed where CI runs', () => {
    expect.fail('no Python with Paho; install python3-paho-mqtt');
  });
});

describe.skipIf(isMissing)('the example for Python', () => {
  it('is short enough to be a model', () => {
    expect(readFileSync(SCRIPT, 'utf8').trimEnd().split('\n').length).toBeLessThan(150);
  });
});

/** The commands of its README, in a folder of their own. */
function readmeCommands(port: number): string {
  const readme = readFileSync('examples/python/README.md', 'utf8');
  const [, commands = ''] = /```sh\n(cd [\s\S]*?)```/.exec(readme) ?? [];
  return commands
    .replace('cd examples/python', `cd ${folder(closing)}`)
    .replace('python3 tollbridge_client.py', `${python} ${resolve(SCRIPT)} --port ${port}`);
}

describe.skipIf(isMissing)('the example for Python and the local cloud', () => {
  let assembly: string;
  beforeAll(async () => {
    assembly = await assemblyOf(config);
  });

  async function startBridge(faults: Parameters<typeof startTestCloud>[1]): Promise<TestCloud> {
    const bridge = await startTestCloud(assembly, faults, REDELIVERING_SOON);
    closing.push(() => bridge.cloud.close());
    return bridge;
  }

  /** Ends when so many more deliveries of the device have passed the rule, or the process is over. */
  async function delivered(bridge: TestCloud, { device }: Station, more: number, program: Program) {
    const isDelivery = (event: (typeof bridge.events)[number]) =>
      event.kind === 'delivery' && event.clientId === device;
    let left = bridge.events.filter(isDelivery).length + more;
    const enough = bridge.seen((event) => isDelivery(event) && --left <= 0);
    await Promise.race([enough, program.ended]);
  }

  /** Runs the device to its end through several violent ones; says what all processes printed. */
  async function liveThrough(bridge: TestCloud, station: Station, seed: number) {
    const chance = seededChance(seed);
    let printed = '';
    let kills = 0;
    for (let life = 0; life < 6; life += 1) {
      const program = station.start();
      await delivered(bridge, station, 1 + chance.below(20), program);
      if ((await program.end('SIGKILL')) === 'SIGKILL') kills += 1;
      printed += program.printed();
    }
    const last = station.start();
    const status = await last.ended;
    return { kills, status, printed: printed + last.printed() };
  }

  it('books every message once through kills, cuts, copies and lost receipts', async () => {
    const faults = { duplicate: 0.1, drop: 0.1, failAction: 0.05, crashAfterWrite: 0.02 };
    const bridge = await startBridge(faults);
    const proxy = await createCuttingProxy({
      targetPort: bridge.port,
      chance: seededChance(11),
      loss: 0.03,
    });
    closing.push(() => proxy.close());
    const stations = [1, 2].map((n) => {
      const lines = Array.from({ length: 150 }, (_, serial) => charge(serial));
      return { lines, station: stationOf(closing, `meter-${n}`, proxy.port, lines), seed: n };
    });
    const lives = await Promise.all(
      stations.map(({ station, seed }) => liveThrough(bridge, station, seed)),
    );
    await bridge.cloud.idle();
    const rows = await bridge.rows('Ledger');
    for (const [index, { lines, station }] of stations.entries()) {
      const booked = rows
        .filter((row) => row.device?.S === station.device)
        .map((row) => ({ id: row.id?.S ?? '', body: row.body?.S ?? '' }));
      // The body is the line with the id in front, to the last blank.
      const said = booked.map(({ id, body }) => body.replace(`{"id":"${id}",`, '{'));
      expect(said.sort()).toEqual([...lines].sort());
      const { status, kills, printed } = lives[index] ?? {};
      expect(status).toBe(0);
      // On a slow machine a process can be done before it is killed.
      expect(kills).toBeGreaterThan(2);
      const ids = new Set(booked.map(({ id }) => id));
      expect(bookedIn(printed ?? '').filter((id) => !ids.has(id))).toEqual([]);
      expect(station.rows('SELECT count(*) FROM outbox')).toEqual([[0]]);
      expect(station.rows('SELECT count(*) FROM rejected')).toEqual([[0]]);
    }
    expect(rows).toHaveLength(300);
    expect(await bridge.rows('Quarantine')).toEqual([]);
    // The faults were there: connections were cut, receipts lost, and messages came again.
    expect(proxy.cuts()).toBeGreaterThan(3);
    expect(bridge.events.filter(({ kind }) => kind === 'fault').length).toBeGreaterThan(20);
    expect(rows.filter((row) => Number(row.tries?.N) > 1).length).toBeGreaterThan(20);
  });

  it('does what its README shows', async () => {
    const bridge = await startBridge({});
    const { status, printed } = await run('sh', ['-euc', readmeCommands(bridge.port)]);
    expect([status, printed]).toEqual([0, expect.stringMatching(/^accepted [\da-f-]{36}\n$/)]);
    expect(await bridge.rows('Ledger')).toMatchObject([{ device: { S: 'meter-17' } }]);
  });

  it('sets aside what is refused, with its reason, and what could never be sent', async () => {
    const bridge = await startBridge({});
    const unsendable = [
      'not JSON',
      '',
      '['.repeat(60_000),
      '{"id":"mine","kWh":1}',
      `{"kWh":"${'1'.repeat(92_160)}"}`,
      Buffer.from('{"kWh":"\xe9"}', 'latin1'),
    ];
    const refused = [
      ['missing-account', '{"kWh":1}'],
      // The id of this one cannot be read: Python reads NaN, JSON has none.
      ['invalid-body', '{"kWh":NaN}'],
    ] as const;
    const lines = [charge(1), ...unsendable, ...refused.map(([, line]) => line), charge(2)];
    const station = stationOf(closing, 'meter-3', bridge.port, lines);
    const program = station.start();
    expect(await program.ended).toBe(1);
    expect(program.printed()).toContain('8 rejected: see that table of');
    expect(await bridge.rows('Ledger')).toHaveLength(2);
    const rejected = station.rows('SELECT id, body, why FROM rejected ORDER BY rowid');
    const neverSent = rejected.filter(([id]) => id === null);
    expect(neverSent.map(([, body]) => body)).toEqual(
      unsendable.map((line) => `${line.toString('latin1')}\n`),
    );
    const told = rejected.filter(([id]) => id !== null).map(([, , why]) => JSON.parse(`${why}`));
    expect(told.map(({ reason }) => reason).sort()).toEqual(['invalid-body', 'missing-account']);
    expect(await bridge.rows('Quarantine')).toHaveLength(2);
  });
});

async function scripted(...script: Parameters<typeof startScriptedBroker>) {
  const broker = await startScriptedBroker(...script);
  closing.push(() => broker.close());
  return broker;
}

function idOf({ payload }: Sent): string {
  return JSON.parse(payload.toString()).id;
}

function serialOf({ payload }: Sent): number {
  return JSON.parse(payload.toString()).serial;
}

function receiptOf(sent: Sent, said: object = {}): string {
  const bodyHash = bodyHashOf(sent.topic, sent.payload);
  const receipt = { id: idOf(sent), bodyHash, outcome: 'accepted', bookedAt: 1, ...said };
  return JSON.stringify({ v: 1, route: 'charges', receipts: [receipt] });
}

describe.skipIf(isMissing)('the example for Python', () => {
  it('believes no receipt that is not of the very body, and repeats the same bytes', async () => {
    const hostile = (sent: Sent) => [
      '',
      'not JSON',
      Buffer.from([0xff, 0xfe, 0x00]),
      'null',
      '[]',
      '"receipts"',
      '{"v":1,"route":"charges"}',
      '['.repeat(100_000),
      `{"v":1,"route":"charges","receipts":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      `{"v":1,"route":"charges","receipts":${'9'.repeat(10_000)}}`,
      '{"v":1,"route":"charges","receipts":{"0":1}}',
      '{"v":1,"route":"charges","receipts":[null,1,"x",[],{},{"id":{},"bodyHash":[]}]}',
      receiptOf(sent).replace('"v":1', '"v":2'),
      receiptOf(sent).replace('"charges"', '"other"'),
      receiptOf(sent, { bodyHash: bodyHashOf(sent.topic, Buffer.from('{}')) }),
      receiptOf(sent, { bodyHash: bodyHashOf(sent.topic, sent.payload).toUpperCase() }),
      receiptOf(sent, { bodyHash: undefined }),
      receiptOf(sent, { bodyHash: '\ud800' }),
      receiptOf(sent, { bodyHash: "' OR 1=1 --" }),
      ...[null, 1, [], `${idOf(sent)} `].map((id) => receiptOf(sent, { id })),
      ...['unknown', 'completed', 'ACCEPTED', null, 1, ['accepted'], undefined].map((outcome) =>
        receiptOf(sent, { outcome }),
      ),
    ];
    const sentBefore = new Map<string, Sent>();
    const broker = await scripted((sent, { tell }) => {
      if (sentBefore.has(idOf(sent))) return tell('meter-4', receiptOf(sent));
      sentBefore.set(idOf(sent), sent);
      tell('meter-4', ...hostile(sent));
    });
    const station = stationOf(closing, 'meter-4', broker.port, [charge(1), charge(2)]);
    const program = station.start('--timeout', '2');
    expect(await program.ended).toBe(0);
    expect(broker.subscriptions()).toBe(1);
    expect(broker.sent.length).toBe(4);
    for (const sent of broker.sent) expect(sent).toEqual(sentBefore.get(idOf(sent)));
    expect([...bookedIn(program.printed())].sort()).toEqual([...sentBefore.keys()].sort());
    expect(station.rows('SELECT count(*) FROM rejected')).toEqual([[0]]);
  });

  it('holds 100 messages unreceipted, and sends the old before the new after a cut', async () => {
    const COUNT = 150;
    let isAnswering = false;
    let cutAt = 0;
    const broker = await scripted((sent, { tell, cut }) => {
      if (isAnswering) return tell('meter-5', receiptOf(sent));
      const distinct = new Set(broker.sent.map(serialOf));
      // The first of them comes again: the window is full, and its time-out is over.
      if (distinct.size < 100 || serialOf(sent) !== 0) return;
      isAnswering = true;
      cutAt = broker.sent.length;
      cut();
    });
    const lines = Array.from({ length: COUNT }, (_, serial) => charge(serial));
    const program = stationOf(closing, 'meter-5', broker.port, lines).start('--timeout', '1.5');
    expect(await program.ended).toBe(0);
    const serials = broker.sent.map(serialOf);
    const inOrder = lines.map((_, serial) => serial);
    expect([...new Set(serials.slice(0, cutAt))]).toEqual(inOrder.slice(0, 100));
    expect([...new Set(serials.slice(cutAt))]).toEqual(inOrder);
    expect(broker.subscriptions()).toBe(2);
  });

  it('sends again at once after a cut, whatever the time-out', { timeout: 45_000 }, async () => {
    let isCut = false;
    const broker = await scripted((sent, { tell, cut }) => {
      if (isCut) return tell('meter-9', receiptOf(sent));
      isCut = broker.sent.length === 3;
      if (isCut) cut();
    });
    const station = stationOf(closing, 'meter-9', broker.port, [charge(0), charge(1), charge(2)]);
    expect(await station.start('--timeout', '60').ended).toBe(0);
    expect(broker.sent.map(serialOf)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('sends nothing while it would not hear of it', async () => {
    const broker = await scripted(() => {});
    broker.refuseSubscriptions();
    const program = stationOf(closing, 'meter-10', broker.port, [charge(0)]).start();
    await program.prints(/(?:.*its subscription was refused\n){3}/);
    expect(broker.sent).toEqual([]);
  });

  it('sends no more than 100 messages a second', async () => {
    const broker = await scripted((sent, { tell }) => tell('meter-6', receiptOf(sent)));
    const lines = Array.from({ length: 150 }, (_, serial) => charge(serial));
    const begun = performance.now();
    expect(await stationOf(closing, 'meter-6', broker.port, lines).start().ended).toBe(0);
    // Its own clock parts the sends, so a slow machine can only make it longer.
    expect(performance.now() - begun).toBeGreaterThan((broker.sent.length - 1) * 10);
  });

  it('takes a line when it is whole, and no line twice', async () => {
    const broker = await scripted((sent, { tell }) => tell('meter-7', receiptOf(sent)));
    const station = stationOf(closing, 'meter-7', broker.port, [charge(0)]);
    const [half, rest] = [charge(1).slice(0, 20), charge(1).slice(20)];
    appendFileSync(station.input, half);
    expect(await station.start().ended).toBe(0);
    expect(broker.sent.map(serialOf)).toEqual([0]);
    appendFileSync(station.input, `${rest}\n`);
    expect(await station.start().ended).toBe(0);
    expect(broker.sent.map(serialOf)).toEqual([0, 1]);
  });

  it('speaks TLS with its certificate, and to no server that it cannot check', async () => {
    const authority = await openAuthority({ folder: undefined, clock: systemClock });
    const { key, certificate: cert } = await authority.serverCredentials();
    const tls = {
      key,
      cert,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const answer = (sent: Sent, { tell }: ScriptedBroker) => tell('meter-8', receiptOf(sent));
    const broker = await scripted(answer, tls);
    const station = stationOf(closing, 'meter-8', broker.port, [charge(1)]);
    const own = await clientFiles(closing, authority);
    const stranger = await openAuthority({ folder: undefined, clock: systemClock });
    const wrong = fileOf(closing, 'ca.pem', stranger.certificate);
    const refused = station.start('--ca', wrong, '--cert', own.cert, '--key', own.key);
    await refused.prints(/CERTIFICATE_VERIFY_FAILED/);
    await refused.end('SIGKILL');
    expect(broker.sent).toEqual([]);
    const ca = fileOf(closing, 'ca.pem', authority.certificate);
    const trusted = station.start('--ca', ca, '--cert', own.cert, '--key', own.key);
    expect(await trusted.ended).toBe(0);
    expect(broker.sent.map(serialOf)).toEqual([1]);
  });
});
