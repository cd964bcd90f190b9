/** Goal: a forward that was lost goes out again as it did, under the name that receivers know. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { publisherOf } from '../../cli/access/publishing.ts';
import { forwardAgain, forwardAgainCommand } from '../../cli/commands/forward-again.ts';
import { quarantineCommand } from '../../cli/quarantine/command.ts';
import { keyText } from '../../cli/quarantine/key.ts';
import { RetryableError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import type { Route } from '../../core/config/route.ts';
import { payload } from '../../core/config/sources.ts';
import { linesOf, runHere } from '../../tools/clouds/asking-ground.ts';
import { charge, OBEYED, type RepairBench, startRepairBench, told } from './repair-fixture.ts';

vi.mock('../../tollbridge.config.ts', async () => ({
  default: (await import('./repair-fixture.ts')).REPAIR_CONFIG,
}));

let bench: RepairBench;
let devices = 0;

beforeAll(async () => {
  bench = await startRepairBench();
});
afterAll(() => bench.close());

const run = (...args: readonly string[]) =>
  runHere(forwardAgainCommand(), [...args, ...bench.local]);

/** A device that has said this on that topic, and what the bridge forwarded of it. */
async function said(topicOf: (device: string) => string, body: string) {
  const device = `meter-${++devices}`;
  const thing = await bench.thing(device);
  expect((await told(thing, topicOf(device), body))?.outcome).toBe('accepted');
  return { device, topic: topicOf(device), thing, forwards: () => forwardsOf(device) };
}

const forwardsOf = (device: string) =>
  bench.forwards().filter(({ payload }) => payload.device === device);
const billing = (device: string) => `billing/${device}/charges`;

describe('a forward goes out again just as it did', () => {
  it.each([
    ['a billing route', billing, charge('a-1'), ['a-1', '--route', 'charges']],
    ['an id that is a number', billing, charge(42), ['int:42', '--route', 'charges']],
    ['an id like an encoded one', billing, charge('int:42'), ['str:int:42', '--route', 'charges']],
    [
      'a window',
      (device: string) => `events/${device}/all`,
      '{"id":"e","n":1.50}',
      ['e', '--route', 'events'],
    ],
  ] as const)('of %s', async (_, topicOf, body, args) => {
    const { device, forwards } = await said(topicOf, body);
    const [first] = forwards();
    const { stdout, status } = await run(device, ...args, '--json');
    expect(status).toBe(0);
    expect(forwards()).toEqual([first, first]);
    expect(linesOf(stdout)).toMatchObject([
      { topic: first?.topic, forwardedAs: first?.payload['tollbridge-id'] },
    ]);
  });

  it('of the newest value, by its topic', async () => {
    const topicOf = (device: string) => `status/${device}`;
    const { device, topic, forwards } = await said(topicOf, '{"at":"2026-11-20T09:00:00Z","v":1}');
    await run(device, topic, '--route', 'status');
    expect(forwards()).toEqual([forwards()[0], forwards()[0]]);
  });

  it('of what an operator has accepted, under the spare key', async () => {
    const { device, topic, thing, forwards } = await said(billing, charge('a-1'));
    const body = charge('a-1', { kWh: 2 });
    await told(thing, topic, body);
    const hash = bodyHashOf(topic, Buffer.from(body));
    const key = keyText({ pk: `charges#${device}`, sk: `a-1#${hash}` });
    await runHere(quarantineCommand(), ['accept', key, '--yes', ...bench.local]);
    const accepted = forwards().at(-1);
    expect(accepted?.payload['tollbridge-id']).toBe(`charges#${device}#a-1~${hash}`);
    await run(device, `a-1~${hash}`, '--route', 'charges');
    expect(forwards().slice(-2)).toEqual([accepted, accepted]);
  });
});

it('changes nothing in the row', async () => {
  const { device } = await said(billing, charge('a-1'));
  const rows = async () =>
    (await bench.bridge.rows('Ledger')).filter((row) => row.device?.S === device);
  const before = await rows();
  await run(device, 'a-1', '--route', 'charges');
  expect(await rows()).toEqual(before);
});

describe('it is refused in words', () => {
  it('where the credentials may not publish, by the name of the action', async () => {
    const { device } = await said(billing, charge('a-1'));
    const publish = () =>
      Promise.reject(new RetryableError('publishing failed: ForbiddenException: null'));
    const route = bench.access.route('charges');
    const again = forwardAgain(bench.access, { publish }, route, device, 'a-1');
    await expect(again).rejects.toThrow(`iot:Publish on booked/${device}/charges`);
  });

  it('where the body has been erased: nothing is published in its place', async () => {
    const { device, forwards } = await said(billing, charge('a-1'));
    await bench.access.dynamodb.send(
      new UpdateItemCommand({
        TableName: bench.access.tables.ledger,
        Key: { pk: { S: `charges#${device}` }, id: { S: 'a-1' } },
        UpdateExpression: 'SET body = :erased',
        ExpressionAttributeValues: { ':erased': { S: '{}' } },
      }),
    );
    const { stderr, status } = await run(device, 'a-1', '--route', 'charges');
    expect([stderr, status]).toEqual([expect.stringMatching(/its body was erased/), 1]);
    expect(forwards()).toHaveLength(1);
  });

  it('where the row is no longer read as it was', async () => {
    const { device } = await said(billing, charge('a-1'));
    const route = { ...bench.access.route('charges'), id: payload('account') } as Route;
    const again = forwardAgain(bench.access, publisherOf(bench.access), route, device, 'a-1');
    await expect(again).rejects.toThrow(/does not read the id a-1/);
  });

  it('where nothing is booked under that id', async () => {
    const { stderr, status } = await run('meter-x', '\u001b[31m', '--route', 'charges');
    expect([stderr, status]).toEqual([expect.stringMatching(/nothing is booked under .*trace/), 1]);
    expect(stderr).not.toMatch(OBEYED);
  });

  it.each([
    [['m', 'a'], /several routes forward; say which.*charges, events, status/],
    [['m', 'a', '--route', 'nope'], /no route "nope"/],
    [['a/b', 'a', '--route', 'charges'], /level of a topic/],
  ])('for %j', async (args, text) => {
    const { stderr, status } = await run(...args);
    expect([stderr, status]).toEqual([expect.stringMatching(text), 2]);
  });
});
