/** Goal: commands find their bridge, and a failure says what is wrong and what to do. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAccess } from '../../cli/access/access.ts';
import { readUnitsOf } from '../../cli/access/confirm-scan.ts';
import { choiceOf } from '../../cli/access/options.ts';
import { scan } from '../../cli/access/reads.ts';
import { withBridge } from '../../cli/access/with-bridge.ts';
import { copiesCommand } from '../../cli/commands/copies.ts';
import { ledgerCommand } from '../../cli/commands/ledger.ts';
import { checkConfig } from '../../core/config/check.ts';
import config from '../../tollbridge.config.ts';
import { linesOf, runHere } from '../../tools/clouds/asking-ground.ts';
import { awsError, type ScriptedAws, startScriptedAws, xmlError } from './scripted-aws.ts';

let aws: ScriptedAws;
const AWS = ['--region', 'eu-central-1'];

beforeAll(async () => {
  aws = await startScriptedAws();
});

afterAll(() => aws.close());

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
});

afterEach(() => {
  vi.unstubAllEnvs();
  aws.answer({});
});

describe('where is asked', () => {
  it('is the local cloud unless an option names AWS, whatever the environment holds', () => {
    vi.stubEnv('AWS_PROFILE', 'production');
    expect(choiceOf({})).toMatchObject({ kind: 'local', url: 'http://127.0.0.1:8000' });
    expect(choiceOf({ local: true })).toMatchObject({ kind: 'local' });
    expect(choiceOf({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({
      url: 'http://127.0.0.1:1',
    });
    expect(choiceOf({ local: true, stack: 'X' })).toMatchObject({ kind: 'local', stack: 'X' });
    for (const flags of [{ profile: 'p' }, { region: 'eu-central-1' }, { stack: 'X' }]) {
      expect(choiceOf(flags).kind).toBe('aws');
    }
  });

  it.each([{ profile: 'p' }, { region: 'r' }])('is not both: %j', (flags) => {
    expect(() => choiceOf({ local: true, ...flags })).toThrow(/give one of them/);
  });
});

describe('on AWS', () => {
  it('finds tables, queues and resources by the stacks, over all pages', async () => {
    const access = await openAccess({ region: 'eu-central-1' }, checkConfig(config));
    expect(access.where).toBe('Tollbridge on AWS in eu-central-1');
    expect(access.tables.quarantine).toBe('quarantine-1');
    expect(access.routeOutput({ name: 'charges' }, 'QueueUrl')).toBe('https://sqs/charges');
    expect(() => access.routeOutput({ name: 'parking' }, 'QueueUrl')).toThrow(/not deployed/);
    expect((await access.resources('Ingest')).map(({ physicalId }) => physicalId)).toEqual([
      'https://sqs/charges',
      'group-of-charges',
    ]);
    access.close();
  });

  it.each(['Tollbridge', 'Tollbridge-Ingest', 'Tollbridge-State'])(
    'takes %s for the name of the bridge',
    async (stack) => {
      const access = await openAccess({ region: 'eu-central-1', stack }, checkConfig(config));
      expect(access.stack).toBe('Tollbridge');
      access.close();
    },
  );

  it('pages through a query, by the key that AWS gives', async () => {
    const row = (id: string) => ({ pk: { S: 'charges#m' }, id: { S: id }, amount: { N: '0.10' } });
    aws.answer({
      Query: ({ input }) =>
        input.ExclusiveStartKey === undefined
          ? {
              body: {
                Items: [row('a')],
                LastEvaluatedKey: { pk: { S: 'charges#m' }, id: { S: 'a' } },
              },
            }
          : { body: { Items: [row('b')] } },
    });
    const { stdout } = await runHere(ledgerCommand(), ['m', ...AWS, '--json']);
    expect(linesOf(stdout)).toMatchObject([
      { id: 'a', amount: '0.10' },
      { id: 'b', amount: '0.10' },
    ]);
    const queries = aws.asked.filter(({ operation }) => operation === 'Query');
    expect(queries.map(({ input }) => input.ConsistentRead)).toEqual([true, true]);
  });

  it('says what a scan costs in read units, by the size that AWS counted', async () => {
    aws.answer({
      DescribeTable: () => ({
        body: { Table: { ItemCount: 2_000_000, TableSizeBytes: 1_073_741_825 } },
      }),
      Scan: () => ({ body: { Items: [], ScannedCount: 0 } }),
    });
    const asked = aws.asked.length;
    const refused = await runHere(ledgerCommand(), AWS);
    expect(refused.stderr).toMatch(
      /about 2000000 rows, 1073741825 bytes, 131072\.5 read units \(AWS counts about every six hours/,
    );
    expect(aws.asked.slice(asked).map(({ operation }) => operation)).not.toContain('Scan');
    expect((await runHere(ledgerCommand(), [...AWS, '--yes'])).status).toBe(0);
    aws.answer({ DescribeTable: () => ({ body: { Table: {} } }) });
    expect((await runHere(ledgerCommand(), AWS)).stderr).toContain('what it costs is not known');
  });

  it('asks Logs Insights for copies, and says how much it scanned', async () => {
    const field = (name: string, value: string) => ({ field: name, value });
    let polls = 0;
    aws.answer({
      StartQuery: () => ({ body: { queryId: 'q-1' } }),
      GetQueryResults: () =>
        polls++ === 0
          ? { body: { status: 'Running' } }
          : {
              body: {
                status: 'Complete',
                statistics: { bytesScanned: 4_096 },
                results: [
                  [
                    field('route', 'charges'),
                    field('device', 'm'),
                    field('copies', '12'),
                    field('messages', '3'),
                  ],
                ],
              },
            },
    });
    const { stdout, stderr } = await runHere(copiesCommand(), [
      ...AWS,
      '--json',
      '--limit',
      '7',
      '--since',
      '2h',
    ]);
    expect(linesOf(stdout)).toEqual([{ route: 'charges', device: 'm', copies: 12, messages: 3 }]);
    expect(stderr).toContain('scanned 4096 bytes');
    const { input } = aws.asked.find(({ operation }) => operation === 'StartQuery') ?? {};
    expect(input).toMatchObject({ logGroupNames: ['group-of-charges'] });
    expect(input?.queryString).toMatch(/count_distinct\(deliveryId\) as copies.* \| limit 7$/);
    expect(Number(input?.endTime) - Number(input?.startTime)).toBeGreaterThanOrEqual(7_200);
  });

  it('says so when a query of Logs Insights fails', async () => {
    aws.answer({
      StartQuery: () => ({ body: { queryId: 'q-1' } }),
      GetQueryResults: () => ({ body: { status: 'Timeout' } }),
    });
    const { stderr, status } = await runHere(copiesCommand(), AWS);
    expect(stderr).toContain('ended as Timeout');
    expect(status).toBe(1);
  });
});

describe('a failure on AWS', () => {
  const failing = async (flags: readonly string[] = AWS) => {
    const { stderr, stdout, status } = await runHere(ledgerCommand(), ['m', ...flags]);
    expect([stdout, status]).toEqual(['', 1]);
    return stderr;
  };
  const stacks = (status: number, code: string, message: string) =>
    aws.answer({ DescribeStacks: () => xmlError(status, code, message) });

  it('for want of a Region says how to name one', async () => {
    expect(await failing(['--stack', 'Tollbridge'])).toMatch(/no Region is set; add --region/);
  });

  it('for want of credentials says where they can come from', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    expect(await failing()).toMatch(/no credentials for AWS: .*--profile/);
    expect(await failing([...AWS, '--profile', 'nobody'])).toMatch(/of the profile nobody/);
  });

  it('by expired credentials says how to get new ones', async () => {
    stacks(403, 'ExpiredToken', 'The security token included in the request is expired');
    expect(await failing()).toMatch(/have expired .*aws sso login/);
  });

  it('by credentials that AWS does not know says so', async () => {
    stacks(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    expect(await failing()).toMatch(/does not know the credentials/);
  });

  it('for want of a permission names the action, of stacks and of tables', async () => {
    const text = 'User: arn:aws:iam::1:user/x is not authorized to perform: ';
    stacks(403, 'AccessDenied', `${text}cloudformation:DescribeStacks on resource: y`);
    expect(await failing()).toMatch(/^the action cloudformation:DescribeStacks is not allowed/);
    aws.answer({
      Query: () => awsError(400, 'AccessDeniedException', `${text}dynamodb:Query on z`),
    });
    expect(await failing()).toMatch(/^the action dynamodb:Query is not allowed/);
  });

  it('for want of the stack lists the bridges there are', async () => {
    expect(await failing([...AWS, '--stack', 'Nope'])).toMatch(
      /no stack "Nope-State" at AWS in eu-central-1; bridges there: Tollbridge\./,
    );
  });

  it('to list them is said, and hides nothing', async () => {
    aws.answer({
      DescribeStacks: ({ input }) =>
        input.StackName === undefined
          ? xmlError(403, 'AccessDenied', 'no')
          : xmlError(400, 'ValidationError', 'Stack with id x does not exist'),
    });
    expect(await failing()).toMatch(/could not be listed/);
  });

  it('to reach AWS asks whether it is a Region', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    expect(await failing()).toMatch(
      /AWS does not answer \(ECONNREFUSED.*is eu-central-1 a Region\?/,
    );
  });

  it('that is not known is passed on as it is', async () => {
    stacks(400, 'Odd', 'an odd thing');
    expect(await failing()).toContain('an odd thing');
  });
});

describe('a failure of the local cloud', () => {
  it('that is not running says how to start it', async () => {
    const { stderr, status } = await runHere(ledgerCommand(), [
      'm',
      '--local',
      'http://127.0.0.1:1',
    ]);
    expect(stderr).toMatch(
      /no local cloud answers at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\).*npm start/,
    );
    expect(status).toBe(1);
  });

  it('that is something else says so', async () => {
    aws.answer({ DescribeStacks: () => ({ status: 200, body: '<html>hello</html>' }) });
    const url = aws.env.AWS_ENDPOINT_URL ?? '';
    const { stderr, status } = await runHere(ledgerCommand(), ['m', '--local', url]);
    expect(stderr).toMatch(/no local cloud of this version|there is no stack/);
    expect(status).toBe(1);
  });
});

it('ends the clients of a command, also when it fails', async () => {
  const destroyed = vi.fn();
  await expect(
    withBridge(
      { region: 'eu-central-1' },
      async (access) => {
        access.client(() => ({ destroy: destroyed }));
        throw new Error('on purpose');
      },
      checkConfig(config),
    ),
  ).rejects.toThrow('on purpose');
  expect(destroyed).toHaveBeenCalledOnce();
});

it('counts what a filter left out as read', async () => {
  aws.answer({ Scan: () => ({ body: { Items: [], ScannedCount: 42 } }) });
  const access = await openAccess({ region: 'eu-central-1' }, checkConfig(config));
  const add = vi.fn();
  const rows = scan(access.dynamodb, { TableName: 'x' }, { add, stop: () => {} });
  for await (const row of rows) expect(row).toBeUndefined();
  expect(add).toHaveBeenCalledWith(42);
  access.close();
});

it.each([
  [1, 0.5],
  [4_096, 0.5],
  [4_097, 1],
  [1_048_576, 128],
])('takes %i bytes for %d read units', (bytes, units) => {
  expect(readUnitsOf({ rows: 1, bytes })).toBe(units);
});
