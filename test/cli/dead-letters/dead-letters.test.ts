/**
 * Goal: dead letters of both paths can be seen and redriven, keep the time of their first arrival,
 * and book nothing twice however often they are moved. Method: a function that is ended until Lambda
 * gives up, letters as AWS makes them, then the commands against the local cloud.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { deadLettersCommand } from '../../../cli/dead-letters/command.ts';
import { moveDeadLetters } from '../../../cli/dead-letters/mover.ts';
import { waysOf } from '../../../cli/dead-letters/queues.ts';
import { systemClock } from '../../../core/base/time.ts';
import { RECEIVED_AT_ATTRIBUTE } from '../../../core/message/envelope.ts';
import { noFaults } from '../../../local/contracts.ts';
import type { Queue } from '../../../local/sqs/queue.ts';
import { linesOf, runHere } from '../../../tools/clouds/asking-ground.ts';
import { REDELIVERING_SOON } from '../../../tools/clouds/cloud.ts';
import {
  charge,
  failNext,
  OBEYED,
  REPAIR_CONFIG,
  type RepairBench,
  startRepairBench,
} from '../repair-fixture.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

let bench: RepairBench;
let dead: Queue;
let queue: Queue;
let devices = 0;

const queueNamed = (word: string): Queue => {
  const { queues } = bench.bridge.cloud;
  const name = [...queues.keys()].find((each) => each.includes(word)) ?? '';
  const found = queues.get(name);
  if (found === undefined) throw new Error(`there is no queue ${word}`);
  return found;
};

beforeAll(async () => {
  bench = await startRepairBench(REPAIR_CONFIG, REDELIVERING_SOON);
  [dead, queue] = [queueNamed('ChargesDeadLetters'), queueNamed('ChargesQueue')];
});
afterAll(() => bench.close());
afterEach(() => {
  bench.bridge.cloud.faults = noFaults;
  for (const { receiptHandle } of dead.receive(1_000)) dead.delete(receiptHandle);
});

const run = (...args: readonly string[]) =>
  runHere(deadLettersCommand(), [...args, ...bench.local]);

/** Messages as a rule's error action makes them when Lambda has given up. */
function letter(
  device: string,
  id: string,
  changes: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    ruleName: 'tollbridge_charges',
    topic: `billing/${device}/charges`,
    clientId: device,
    cloudwatchTraceId: `trace-${device}-${id}`,
    base64OriginalPayload: Buffer.from(charge(id, changes)).toString('base64'),
  });
}

const ledgerOf = async (device: string) =>
  (await bench.bridge.rows('Ledger')).filter((row) => row.device?.S === device);
const newDevice = () => `meter-${++devices}`;

describe('letters of a function that gave up', () => {
  it('are listed, redriven, and booked once, with the time of their first arrival', async () => {
    const device = newDevice();
    const thing = await bench.thing(device);
    // The queue's path fails at once, and the function's after its retries.
    bench.bridge.cloud.faults = { ...noFaults, failAction: 1, crashBeforeWrite: 1 };
    await thing.publish(`billing/${device}/charges`, charge('a-1'));
    await bench.bridge.seen(({ kind }) => kind === 'dead-letter');
    bench.bridge.cloud.faults = noFaults;
    const sentAt = dead.peek()[0]?.sentAt ?? 0;

    const listed = await run('list', '--route', 'charges', '--json');
    expect(listed.status).toBe(1);
    expect(linesOf(listed.stdout)).toMatchObject([
      {
        route: 'charges',
        visible: 1,
        samples: [{ device, id: 'a-1', path: 'function', readsAs: 'a message' }],
      },
    ]);
    const arrived = new Date(sentAt).toISOString();
    expect(listed.stdout).toContain(`"oldest":"${arrived}"`);
    expect(listed.stdout).toContain('the process of the function ended');

    const { stdout, status } = await run('redrive', 'charges', '--json');
    expect(linesOf(stdout)).toEqual([
      { route: 'charges', moved: 1, unsent: 0, undeleted: 0, interrupted: false },
    ]);
    expect(status).toBe(0);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    const [row] = await ledgerOf(device);
    expect(row).toMatchObject({ tries: { N: '1' }, receivedAt: { S: arrived } });
    expect(linesOf((await run('redrive', 'charges', '--json')).stdout)).toMatchObject([
      { moved: 0 },
    ]);
  });

  it('moved twice, because the process ended between send and delete, are booked once', async () => {
    const device = newDevice();
    const thing = await bench.thing(device);
    dead.send(letter(device, 'a-1'));
    dead.send(letter(device, 'a-2'));
    const sqs = bench.access.client((settings) => new SQSClient(settings));
    failNext(sqs, 'DeleteMessageBatchCommand', 'before');
    const options = {
      max: Number.POSITIVE_INFINITY,
      rate: undefined,
      signal: new AbortController().signal,
      clock: systemClock,
      wait: async () => {},
      moved: () => {},
    };
    const broken = moveDeadLetters(waysOf(sqs, dead.url, queue.url), options);
    await expect(broken).rejects.toThrow(/process is gone/);
    expect(dead.depth()).toEqual({ visible: 0, inFlight: 2 });
    // They come back by themselves when nobody has deleted them.
    await reappeared(2);
    expect((await run('redrive', 'charges')).stdout).toMatch(/charges +│ +2 +│ +0 +│ +0 +│ false/);
    await bench.bridge.cloud.idle();
    const rows = await ledgerOf(device);
    expect(rows.map(({ id, tries }) => [id?.S, tries?.N])).toEqual([
      ['a-1', '2'],
      ['a-2', '2'],
    ]);
    await thing.end();
  });

  it('redriven again and again keep their first time and their attributes', async () => {
    const before = Date.now();
    dead.send('no envelope at all', { RequestID: { dataType: 'String', stringValue: 'r-1' } });
    const sentAt = dead.peek()[0]?.sentAt;
    expect(sentAt).toBeGreaterThanOrEqual(before);
    const sqs = bench.access.client((settings) => new SQSClient(settings));
    const other = queueNamed('EventsDeadLetters');
    const options = {
      max: 10,
      rate: undefined,
      signal: new AbortController().signal,
      clock: systemClock,
      wait: async () => {},
      moved: () => {},
    };
    await moveDeadLetters(waysOf(sqs, dead.url, other.url), options);
    await moveDeadLetters(waysOf(sqs, other.url, dead.url), options);
    expect(dead.peek().map(({ messageAttributes }) => messageAttributes)).toEqual([
      {
        RequestID: { dataType: 'String', stringValue: 'r-1' },
        [RECEIVED_AT_ATTRIBUTE]: { dataType: 'Number', stringValue: String(sentAt) },
      },
    ]);
  });
});

it('letters in the envelope of the rule keep the time that it tells, and get no other', async () => {
  const device = newDevice();
  const receivedAt = Date.now() - 3_600_000;
  const envelope = {
    body: Buffer.from(charge('q-1')).toString('base64'),
    topic: `billing/${device}/charges`,
    clientId: device,
    principal: 'p',
    receivedAt,
    deliveryId: 'delivery-1',
  };
  dead.send(JSON.stringify(envelope));
  await run('redrive', 'charges');
  await bench.bridge.cloud.idle();
  expect((await ledgerOf(device)).map((row) => row.receivedAt?.S)).toEqual([
    new Date(receivedAt).toISOString(),
  ]);
});

async function reappeared(count: number): Promise<void> {
  if (dead.depth().visible >= count) return;
  await new Promise<void>((resolve) => {
    const stop = dead.onVisible(() => {
      if (dead.depth().visible < count) return;
      stop();
      resolve();
    });
  });
}

describe('list', () => {
  it('says 0 and ends with 0 where none wait', async () => {
    const { stdout, status } = await run('list');
    expect(stdout).toMatch(/charges +│ +0 +│ +0 /);
    expect(stdout).toMatch(/status +│ +0 +│ +0 /);
    expect(status).toBe(0);
  });

  it('hides no letter that it looks at, and says what a look is', async () => {
    for (let n = 0; n < 5; n++) dead.send(letter('meter-x', `a-${n}`));
    const { stdout } = await run('list', '--sample', '2');
    expect(stdout.match(/a message/g)).toHaveLength(2);
    expect(stdout).toMatch(/each look counts as a receive to SQS/);
    await reappeared(5);
    const blind = await run('list', '--sample', '0', '--json');
    expect(linesOf(blind.stdout)).toMatchObject([{ visible: 5, samples: [] }, {}, {}]);
  });

  it('says what would become of each, and lets no terminal obey it', async () => {
    dead.send('\u001b]0;x\u0007');
    dead.send(letter('other', '\u001b[31m\u202e'));
    dead.send(letter('meter-1', 'a', { kWh: 'many' }));
    const { stdout } = await run('list', '--sample', '10');
    expect(stdout).not.toMatch(OBEYED);
    expect(stdout).toContain('quarantine: unreadable-envelope');
    expect(stdout).toContain('quarantine: invalid-amount');
    expect(stdout).toContain('\\u{1b}[31m');
  });
});

describe('redrive', () => {
  it('takes no more than --max', async () => {
    const device = newDevice();
    for (let n = 0; n < 5; n++) dead.send(letter(device, `a-${n}`));
    expect(linesOf((await run('redrive', 'charges', '--max', '3', '--json')).stdout)).toMatchObject(
      [{ moved: 3 }],
    );
    expect(dead.depth()).toEqual({ visible: 2, inFlight: 0 });
    await bench.bridge.cloud.idle();
    expect(await ledgerOf(device)).toHaveLength(3);
  });

  it('refuses a route that is not there', async () => {
    expect(await run('redrive', 'nope')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no route "nope".*charges, events, status/),
    });
  });
});
