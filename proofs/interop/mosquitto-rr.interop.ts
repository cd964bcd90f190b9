/** What the README shows, with the clients that everybody has. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localDynamoDB } from '../../cli/access/local-tables.ts';
import { missing, type Program, run, startTollbridge } from '../../tools/programs.ts';

const skipped = missing('mosquitto_rr', 'mosquitto_pub');

describe.skipIf(skipped)('npm start and the clients of Mosquitto', () => {
  let tollbridge: Program;
  let port = '';
  let apiUrl = '';
  let ledger = '';

  beforeAll(async () => {
    tollbridge = startTollbridge('--port', '0', '--api-port', '0');
    [, port = ''] = await tollbridge.prints(/MQTT +mqtt:\/\/127\.0\.0\.1:(\d+)/);
    [, apiUrl = ''] = await tollbridge.prints(/DynamoDB +(\S+)/);
    [, ledger = ''] = await tollbridge.prints(/ledger +(\S+)/);
    await tollbridge.prints(/Ctrl-C/);
  });
  afterAll(() => tollbridge.end('SIGKILL'));

  const body = `{"id":"a-1","account":"acme","kWh":"1.25","at":"${new Date().toISOString()}"}`;
  const request = async () => {
    const flags = ['-V', '311', '-p', port, '-i', 'meter-17', '-W', '30'];
    const topics = ['-t', 'billing/meter-17/charges', '-e', 'tollbridge/meter-17/receipts'];
    const { printed } = await run('mosquitto_rr', [...flags, ...topics, '-m', body]);
    return JSON.parse(printed);
  };

  it('answer a charge with its receipt, and the same charge with the same receipt as a duplicate', async () => {
    const first = await request();
    expect(first).toMatchObject({
      v: 1,
      route: 'charges',
      receipts: [{ id: 'a-1', outcome: 'accepted', bookedAt: expect.any(Number) }],
    });
    const again = await request();
    const [receipt] = first.receipts;
    expect(again).toEqual({ ...first, receipts: [{ ...receipt, outcome: 'duplicate' }] });
  });

  it('leave one row in the ledger', async () => {
    const client = localDynamoDB(apiUrl);
    const { Items } = await client.send(
      new QueryCommand({
        TableName: ledger,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'charges#meter-17' } },
        ConsistentRead: true,
      }),
    );
    client.destroy();
    expect(Items).toMatchObject([{ id: { S: expect.stringContaining('a-1') }, tries: { N: '2' } }]);
  });

  it('are cut off when they publish at QoS 2, with the reason', async () => {
    const topic = 'billing/meter-18/charges';
    const flags = ['-V', '311', '-p', port, '-i', 'meter-18', '-q', '2', '-t', topic, '-m', body];
    const { status } = await run('mosquitto_pub', flags);
    expect(status).not.toBe(0);
    await tollbridge.prints(/disconnected "meter-18": .*QoS 2, which IoT Core does not support/);
  });

  it('find the port in use when it is started twice', async () => {
    const second = startTollbridge('--assembly', 'cdk.out', '--port', port, '--api-port', '0');
    expect(await second.ended).toBe(1);
    expect(second.printed()).toMatch(new RegExp(`tollbridge: Port ${port} on 127.0.0.1 is in use`));
  });

  it('see it stop at Ctrl-C, with status 0', async () => {
    expect(await tollbridge.end('SIGINT')).toBe(0);
    expect(tollbridge.printed()).toMatch(/SIGINT: stopping\n$/);
  });
});
