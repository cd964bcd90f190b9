/** Goal: operators read stacks and logs of the local cloud by the SDK's own clients, and nobody else. */
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { handleLogs, handleStacks } from '../../../local/api/operator-requests.ts';
import type { CloudEvent } from '../../../local/contracts.ts';
import { createJournal } from '../../../local/lambda/journal.ts';
import config from '../../../tollbridge.config.ts';
import { assemblyOf } from '../../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../../tools/clouds/cloud.ts';

const log = (functionName: string, line: string): CloudEvent => ({
  kind: 'log',
  functionName,
  line,
});

describe('the journal', () => {
  it('keeps what functions log, with its time, and passes every event on', () => {
    const passed: CloudEvent[] = [];
    let now = 1_000;
    const journal = createJournal(
      () => epochMillis(now++),
      (event) => passed.push(event),
    );
    const other: CloudEvent = { kind: 'dead-letter', queueName: 'q', reason: 'r' };
    for (const event of [log('f', 'one'), other, log('g', 'two'), log('f', 'three')]) {
      journal.observe(event);
    }
    expect(passed).toHaveLength(4);
    expect(journal.read('f').map(({ timestamp, message }) => [timestamp, message])).toEqual([
      [1_000, 'one'],
      [1_002, 'three'],
    ]);
    expect(journal.read('h')).toEqual([]);
  });

  it.each([
    ['many lines', 120_000, 10],
    ['long lines', 100, 1_000_000],
  ])('forgets the oldest of %s first, and stays within its bounds', (_, lines, length) => {
    const journal = createJournal(
      () => epochMillis(0),
      () => {},
    );
    for (let n = 0; n < lines; n++) journal.observe(log('f', `${n} `.padEnd(length, '.')));
    const kept = journal.read('f');
    expect(kept.length).toBeLessThanOrEqual(50_000);
    expect(kept.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThanOrEqual(2 ** 25);
    expect(kept.length).toBeGreaterThan(Math.min(lines, 20) / 2);
    expect(kept.at(-1)?.message).toMatch(new RegExp(`^${lines - 1} `));
  });
});

describe('answers', () => {
  it('escape what XML would take for its own', () => {
    const view = {
      outputs: { 'A-State': { X: '<&">' } },
      resources: [],
      region: 'r',
      accountId: '1',
    };
    const { body } = handleStacks(view, Buffer.from('Action=DescribeStacks'));
    expect(body.toString()).toContain('<OutputValue>&lt;&amp;&quot;&gt;</OutputValue>');
  });

  it('say that the cloud is starting while it is', () => {
    expect(handleStacks(undefined, Buffer.from('')).status).toBe(503);
  });

  it.each(['{', 'null', '"x"'])('refuse the body %s without failing', (body) => {
    const view = { stacks: () => undefined, logs: () => [] };
    expect(handleLogs(view, 'FilterLogEvents', Buffer.from(body)).status).toBe(400);
  });

  it('give lines within the times asked for, that hold every term', () => {
    const line = (timestamp: number, message: string) => ({ eventId: '1', timestamp, message });
    const view = {
      stacks: () => undefined,
      logs: (group: string) =>
        group === 'g' ? [line(1, 'a b'), line(2, 'a'), line(3, 'a b')] : [],
    };
    const ask = (input: object) => {
      const { status, body } = handleLogs(
        view,
        'FilterLogEvents',
        Buffer.from(JSON.stringify(input)),
      );
      const { events } = JSON.parse(body.toString()) as { events?: { timestamp: number }[] };
      return [status, events?.map(({ timestamp }) => timestamp)];
    };
    expect(ask({ logGroupName: 'g', filterPattern: '"a" "b"' })).toEqual([200, [1, 3]]);
    expect(ask({ logGroupName: 'g', startTime: 2, endTime: 2 })).toEqual([200, [2]]);
    expect(ask({ logGroupName: 'x' })).toEqual([200, []]);
    expect(ask({ logGroupName: 'g', filterPattern: '{ $.a = 1 }' })).toEqual([400, undefined]);
  });
});

describe('at the local cloud', () => {
  let bridge: TestCloud;
  let assembly: string;
  const settings = () => ({
    endpoint: bridge.cloud.apiUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
  });

  beforeAll(async () => {
    assembly = await assemblyOf(config);
    bridge = await startTestCloud(assembly);
  });

  afterAll(async () => {
    await bridge.cloud.close();
  });

  it('stacks have the outputs of the template, and a queue is called by its URL', async () => {
    const stacks = new CloudFormationClient(settings());
    const { Stacks = [] } = await stacks.send(new DescribeStacksCommand({}));
    expect(Stacks.map(({ StackName }) => StackName)).toEqual(Object.keys(bridge.cloud.outputs));
    const StackName = 'Tollbridge-Ingest';
    const { StackResourceSummaries = [] } = await stacks.send(
      new ListStackResourcesCommand({ StackName }),
    );
    const queues = StackResourceSummaries.filter(
      ({ ResourceType }) => ResourceType === 'AWS::SQS::Queue',
    );
    const urls = queues.map(({ PhysicalResourceId }) => PhysicalResourceId);
    expect(urls).toContain(bridge.cloud.outputs[StackName]?.ChargesQueueUrl);
    await expect(stacks.send(new DescribeStacksCommand({ StackName: 'None' }))).rejects.toThrow(
      /Stack with id None does not exist/,
    );
    await expect(stacks.send(new DeleteStackCommand({ StackName }))).rejects.toThrow(
      /knows DescribeStacks/,
    );
    stacks.destroy();
  });

  it('logs are read, and nothing else is done with them', async () => {
    const logs = new CloudWatchLogsClient(settings());
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: 'none' }));
    expect(events).toEqual([]);
    await expect(logs.send(new DescribeLogGroupsCommand({}))).rejects.toThrow(
      /knows FilterLogEvents/,
    );
    logs.destroy();
  });

  it.each([
    ['without a signature', undefined, 403],
    [
      'from the key of a function that is not there',
      'AWS4-HMAC-SHA256 Credential=LOCAL000000000000009/2026',
      403,
    ],
  ])('nothing is answered %s', async (_, authorization, status) => {
    const answer = await fetch(bridge.cloud.apiUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization !== undefined && { authorization }),
      },
      body: 'Action=DescribeStacks',
    });
    expect(answer.status).toBe(status);
  });
});
