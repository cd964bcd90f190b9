/** The servers of the local cloud: the console, and the endpoint that stands for AWS's. */
import fc from 'fast-check';
import { type LocalConsole, startConsole } from '../../local/console/console.ts';
import { createEventFeed } from '../../local/feed.ts';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { rawBytes, rawText } from './bytes.ts';
import { fail } from './fail.ts';
import {
  answerTo,
  anyMethod,
  type Drawn,
  inLine,
  oddTarget,
  requestBytes,
} from './http-requests.ts';
import { type Opened, type Target, targetOf } from './target.ts';

interface Bench {
  readonly bridge: TestCloud;
  readonly console: LocalConsole;
  close(): Promise<void>;
}

const TOKEN = 'token-of-the-fuzzer';
/** The rates are tried in the console's own tests. */
const RATES = { readsPerSecond: 1_000_000, changesPerSecond: 1_000_000 };

async function startBench(): Promise<Bench> {
  const assembly = await assemblyOf(config);
  const feed = createEventFeed(() => {});
  const bridge = await startTestCloud(assembly, {}, { observe: feed.observe, mqttsPort: 0 });
  const console = await startConsole({
    port: 0,
    cloud: bridge.cloud,
    feed,
    assembly: assembly,
    brokerHost: '127.0.0.1',
    seed: 5,
    token: TOKEN,
    limits: RATES,
  });
  return {
    bridge,
    console,
    async close() {
      await console.close();
      await bridge.cloud.close();
    },
  };
}

/** Every so many inputs, a good request has to be answered as ever. */
const ALIVE_EVERY = 200;

/** A server under fuzz: its answers, and whether it still gives good ones. */
function opened(
  port: number,
  good: Buffer,
  statuses: ReadonlySet<number>,
  close: () => Promise<void>,
): Opened<(host: string) => Buffer> {
  let asked = 0;
  const alive = async () => {
    const status = await answerTo(port, good);
    if (status !== 200) fail('a good request is answered otherwise', status);
  };
  return {
    async check(bytes) {
      const status = await answerTo(port, bytes(`127.0.0.1:${port}`));
      if (status !== undefined && !statuses.has(status)) fail('a status of no clean end', status);
      asked += 1;
      if (asked % ALIVE_EVERY === 0) await alive();
      return [status === undefined ? 'closed' : String(status)];
    },
    async close() {
      await alive();
      await close();
    },
  };
}

const good = (port: number, path: string, more = '') =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${more}connection: close\r\n\r\n`,
  );

const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'pk',
        'id',
        'sk',
        'cursor',
        'account',
        'month',
        'device',
        '__proto__',
        'route',
      ),
      fc.oneof(
        fc.constantFrom(
          'charges%23meter-1',
          'c-1',
          '2026-11',
          'acme',
          '',
          '%00',
          'WzAse31d',
          'WzEs',
        ),
        fc.constantFrom('x'.repeat(3_000), 'WzAseyJwayI6ImEiLCJpZCI6ImIifV0'),
        rawText.map((text) => encodeURIComponent(text.toWellFormed())),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`));
const CONSOLE_PATHS = ['/', '/api/ledger', '/api/ledger/totals', '/api/quarantine', '/nowhere'];
const MORE_PATHS = ['/api/quarantine/row', '/api/message', '/api/reconciliation', '/api/stream'];
const CHANGES = ['/api/faults', '/api/fleet', '/api/token'];
/** No fleet is started: what a fleet does is no part of a request. */
const wish = fc.oneof(
  fc.constantFrom('{"duplicate":0.1}', '{"action":"stop"}', '[]', 'null', '{"duplicate":2}', '{'),
  fc.constantFrom(
    '{"__proto__":{"duplicate":1}}',
    '{"action":"start","devices":0}',
    '{"action":7}',
  ),
  fc.constantFrom('{"action":"cut","cuts":9}', '{"action":"use-an-id-twice"}', '['.repeat(4_000)),
  fc.constantFrom('x'.repeat(4_097), '"'.repeat(100), '{"delayMillis":1e999}', '{"drop":-0}'),
  fc.json(),
);
const fromPage = fc.record({
  type: fc.constantFrom('application/json', 'application/json', 'text/plain'),
  token: fc.constantFrom(TOKEN, TOKEN, TOKEN, 'wrong'),
  origin: fc.constantFrom('', '', 'https://evil.example'),
});
const consoleRequest: fc.Arbitrary<Drawn> = fc.oneof(
  fc
    .record({
      method: fc.oneof({ weight: 8, arbitrary: fc.constant('GET') }, anyMethod),
      path: fc.oneof(
        fc.constantFrom(...CONSOLE_PATHS, ...MORE_PATHS),
        fc.constantFrom(...CHANGES),
        oddTarget,
      ),
      query,
    })
    .map(({ method, path, query: asked }) => ({
      ...{ method, target: path + asked, headers: [], body: Buffer.alloc(0) },
    })),
  fc
    .record({ path: fc.constantFrom(...CHANGES, ...CONSOLE_PATHS), wish, from: fromPage })
    .map(({ path, wish: body, from }) => ({
      method: 'POST',
      target: path,
      headers: [
        ['content-type', from.type] as const,
        ['authorization', `Bearer ${from.token}`] as const,
        ...(from.origin === '' ? [] : [['origin', from.origin] as const]),
      ],
      body: Buffer.from(body),
    })),
);

/** What Node.js itself refuses: 400, 414, 417 and 431. */
const CONSOLE_STATUSES = new Set([
  ...[200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 421, 431, 503],
]);

/** The console: raw requests, good ones among them; never an end of the server, never a stack. */
export const consoleRequests: Target = targetOf({
  name: 'console',
  share: 1_500,
  reaches: ['200', '400', '401', '403', '404', '405', '413', '415', '421', 'closed', '417'],
  inputs: requestBytes(consoleRequest),
  open: async () => {
    const bench = await startBench();
    const { port } = bench.console;
    return opened(port, good(port, '/'), CONSOLE_STATUSES, () => bench.close());
  },
});

const KEY = 'AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/x/aws4_request, Signature=x';
const authorization = fc.constantFrom(
  ...[KEY, KEY, KEY, KEY, KEY, '', 'Bearer x', KEY.replace('operator', 'LOCAL000000000000099')],
);
const signed = (drawn: fc.Arbitrary<Drawn>) =>
  fc.tuple(drawn, authorization).map(([request, value]) => ({
    ...request,
    headers: [...request.headers, ...(value === '' ? [] : [['authorization', value] as const])],
  }));
/** Nothing is published where a rule listens: what a function makes of it is tried elsewhere. */
const topic = fc.oneof(
  fc.constantFrom(
    'x%2Fy',
    'a',
    'booked%2Fdev-1%2Fcharges',
    '%24aws%2Frules%2Fnone%2Fx',
    '%ff',
    '%',
  ),
  fc.constantFrom('', '%23', 'a%2F%2B', '%00', `${'a%2F'.repeat(9)}b`, 'a'.repeat(257), '%24SYS'),
  rawText.map((text) => encodeURIComponent(`z${text.toWellFormed()}`)),
);
const publish: fc.Arbitrary<Drawn> = fc
  .record({
    method: fc.oneof({ weight: 8, arbitrary: fc.constant('POST') }, anyMethod),
    topic,
    qos: fc.constantFrom('', '?qos=0', '?qos=1', '?qos=2', '?retain=true', '?qos=1&retain=x'),
    properties: fc.constantFrom('', 'W3siYSI6ImIifV0=', 'W10=', 'bnVsbA==', '****', 'W3siYSI6MX1d'),
    body: fc.oneof(rawBytes, fc.constant(Buffer.alloc(131_073))),
  })
  .map(({ method, topic: name, qos, properties, body }) => ({
    ...{ method, target: `/topics/${name}${qos}`, body },
    headers: properties === '' ? [] : [['x-amz-mqtt5-user-properties', properties] as const],
  }));
const names = fc.oneof(
  fc.constantFrom('meter-1', 'meter-2', 'a'.repeat(129), '%00', '..', '', 'f'.repeat(64)),
  rawText.map((text) => encodeURIComponent(text.toWellFormed())),
);
const jsonBody = fc
  .oneof(
    fc.constantFrom(
      '',
      '{}',
      'null',
      '[]',
      '{"certificateSigningRequest":"x"}',
      '{"target":"arn:x"}',
    ),
    fc.constantFrom('{"certificateSigningRequest":"-----BEGIN CERTIFICATE REQUEST-----\\nAA=="}'),
    fc.constantFrom('{"attributePayload":{"attributes":{"__proto__":"x"}}}', '['.repeat(50_000)),
    fc.json(),
  )
  .map((text) => Buffer.from(text));
const registry: fc.Arbitrary<Drawn> = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), anyMethod),
    path: fc.oneof(
      names.map((name) => `/things/${name}`),
      names.map((name) => `/things/${name}/principals`),
      names.map((name) => `/certificates/${name}`),
      names.map((name) => `/target-policies/${name}`),
      names.map((name) => `/rules/${name}`),
      fc.constantFrom('/things', '/certificates', '/endpoint', '/endpoint?endpointType=iot:x'),
      fc.constantFrom('/certificates?setAsActive=true', '/rules/tollbridge_charges', '/rules/'),
      oddTarget,
    ),
    query: fc.constantFrom('', '', '?newStatus=INACTIVE', '?newStatus=x', '?forceDelete=1', '?%'),
    principal: fc.constantFrom('', '', 'arn:aws:iot:us-east-1:123456789012:cert/ab', 'x'),
    body: jsonBody,
  })
  .map(({ method, path, query: asked, principal, body }) => ({
    ...{ method, target: inLine(path + asked), body },
    headers: principal === '' ? [] : [['x-amzn-principal', principal] as const],
  }));
const OPERATIONS = ['GetQueueAttributes', 'ReceiveMessage', 'SendMessage', 'SendMessageBatch'];
const MORE_OPERATIONS = ['DeleteMessage', 'DeleteMessageBatch', 'PurgeQueue', '__proto__', ''];
const logTargets = [
  'Logs_20140328.FilterLogEvents',
  'Logs_20140328.GetLogEvents',
  'Logs_20140328.x',
];
const queues: fc.Arbitrary<Drawn> = fc
  .record({
    target: fc.oneof(
      fc.constantFrom(...OPERATIONS, ...MORE_OPERATIONS).map((name) => `AmazonSQS.${name}`),
      fc.constantFrom(...logTargets, 'Nothing.At.All', 'DynamoDB_20120810.'),
    ),
    body: fc.oneof(
      jsonBody,
      fc
        .record(
          {
            QueueUrl: fc.constantFrom<unknown>('DEAD-LETTERS', 'DEAD-LETTERS', 'http://x', 7, null),
            MaxNumberOfMessages: fc.constantFrom<unknown>(1, 10, 11, 0, 'x', 1e300),
            VisibilityTimeout: fc.constantFrom<unknown>(0, 1, 43_201, -1),
            AttributeNames: fc.constantFrom<unknown>(['All'], [7], 'All', []),
            MessageBody: fc.oneof(fc.jsonValue({ maxDepth: 1 }), rawText),
            ReceiptHandle: fc.jsonValue({ maxDepth: 1 }),
            Entries: fc.oneof(
              fc.constantFrom<unknown>([], [{}], [{ Id: 'a', MessageBody: 'x' }], 7),
              fc.jsonValue({ maxDepth: 2 }),
            ),
            MessageAttributes: fc.jsonValue({ maxDepth: 2 }),
          },
          { requiredKeys: ['QueueUrl'] },
        )
        .map((value) => Buffer.from(JSON.stringify(value))),
    ),
  })
  .map(({ target, body }) => ({
    ...{ method: 'POST', target: '/', body },
    headers: [['x-amz-target', target] as const],
  }));
const forms: fc.Arbitrary<Drawn> = fc
  .tuple(
    fc.constantFrom('DescribeStacks', 'GetTemplate', 'DescribeStackResources', 'x', ''),
    fc.oneof(fc.constantFrom('Tollbridge-Ingest', '', '<x>&amp;'), rawText),
  )
  .map(([action, stack]) => ({
    ...{ method: 'POST', target: '/' },
    headers: [['content-type', 'application/x-www-form-urlencoded'] as const],
    body: Buffer.from(`Action=${action}&StackName=${encodeURIComponent(stack.toWellFormed())}`),
  }));

const API_STATUSES = new Set([
  ...[200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 414, 417, 431],
]);

/** The endpoint of the AWS services: publish, registry, queues, rules, logs, stacks. */
export const apiRequests: Target = targetOf({
  name: 'aws-endpoint',
  share: 1_500,
  reaches: ['200', '400', '401', '403', '404', '405', '413', '417', 'closed'],
  inputs: requestBytes(signed(fc.oneof(publish, registry, queues, forms))),
  open: async () => {
    const bench = await startBench();
    const { cloud } = bench.bridge;
    const port = Number(new URL(cloud.apiUrl).port);
    const dead = [...cloud.queues.values()].find(({ name }) => /DeadLetter/i.test(name));
    if (dead === undefined) return fail('there is no dead-letter queue', [...cloud.queues.keys()]);
    const statuses = API_STATUSES;
    const alive = good(port, '/endpoint?endpointType=iot%3AData-ATS', `authorization: ${KEY}\r\n`);
    const server = opened(port, alive, statuses, () => bench.close());
    return {
      ...server,
      check: (bytes) =>
        server.check((host) =>
          Buffer.from(bytes(host).toString('latin1').replace('DEAD-LETTERS', dead.url), 'latin1'),
        ),
    };
  },
});
