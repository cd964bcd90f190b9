/** `tollbridge start`: the local cloud, in the foreground until Ctrl-C. */
import { readdir } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { printable } from '../../core/base/printable.ts';
import { systemClock } from '../../core/base/time.ts';
import { type LocalCloud, startCloud } from '../../local/cloud.ts';
import { type LocalConsole, startConsole } from '../../local/console/console.ts';
import { type CloudEvent, type Faults, noFaults } from '../../local/contracts.ts';
import { createEventFeed } from '../../local/feed.ts';
import { brokerAddress } from '../../local/iot/outside-connection.ts';
import { print, printError } from '../output/print.ts';
import { chance, httpUrl, wholeNumber } from '../shell/options.ts';
import { synthesize } from '../shell/synthesize.ts';

interface Flags extends Faults {
  readonly port: number;
  readonly mqttsPort?: number;
  readonly broker?: string;
  readonly apiPort: number;
  readonly consolePort?: number;
  readonly data?: string;
  readonly dynamodb?: string;
  readonly assembly?: string;
  readonly seed: number;
  readonly speed: number;
  readonly logs: boolean;
}

const HOST = '127.0.0.1';
const MQTT_PORT = 1883;
const MQTTS_PORT = 8883;
const API_PORT = 8000;
const CONSOLE_PORT = 8001;
/** Lines tell of topics and client ids, which are hostile: cut, and rid of what a terminal obeys. */
const LINE_CHARS_MAX = 8_192;
const ASSEMBLY = 'cdk.out';

export function startCommand(): Command {
  return new Command('start')
    .description('run the template that would be deployed, on this machine')
    .option('--port <n>', 'port of the MQTT broker', wholeNumber(0, 65_535), MQTT_PORT)
    .addOption(
      new Option(
        '--mqtts-port <n>',
        `port of MQTT with TLS (default: ${MQTTS_PORT}, or any free one with another --port)`,
      ).argParser(wholeNumber(0, 65_535)),
    )
    .addOption(
      new Option('--broker <url>', 'use this MQTT 5 broker instead, e.g. mqtt://127.0.0.1:1884')
        .argParser(mqttUrl)
        .conflicts(['port', 'mqttsPort']),
    )
    .option(
      '--api-port <n>',
      'port of DynamoDB and the IoT data plane',
      wholeNumber(0, 65_535),
      API_PORT,
    )
    .addOption(
      new Option(
        '--console-port <n>',
        `port of the console's page (default: ${CONSOLE_PORT}, or any free one with another --api-port)`,
      ).argParser(wholeNumber(0, 65_535)),
    )
    .option('--data <folder>', 'keep tables and devices there; without it they live in memory')
    .addOption(
      new Option('--dynamodb <url>', 'use the tables of this endpoint instead')
        .argParser(httpUrl)
        .conflicts('data'),
    )
    .option('--assembly <folder>', `run this assembly as it is, instead of a fresh ${ASSEMBLY}`)
    .option('--seed <n>', 'seed of ids and faults', wholeNumber(0, 2_147_483_646), 1)
    .option(
      '--speed <n>',
      'divide the waiting times of queues and retries',
      wholeNumber(1, 10_000),
      1,
    )
    .option('--logs', 'print what the functions log', false)
    .option('--duplicate <chance>', 'a rule repeats a message', chance, noFaults.duplicate)
    .option('--delay <chance>', 'an action is held back', chance, noFaults.delay)
    .option('--delay-millis <n>', 'for so long at most', wholeNumber(1, 3_600_000), 5_000)
    .option('--drop <chance>', 'a receipt or forward is lost', chance, noFaults.drop)
    .option(
      '--reorder <chance>',
      'a queue hands out another than the oldest',
      chance,
      noFaults.reorder,
    )
    .option('--fail-action <chance>', 'an action fails for good', chance, noFaults.failAction)
    .option('--crash-before-write <chance>', 'the function dies', chance, noFaults.crashBeforeWrite)
    .option('--crash-after-write <chance>', 'the function dies', chance, noFaults.crashAfterWrite)
    .option('--lose-answer <chance>', 'a write lands unanswered', chance, noFaults.loseAnswer)
    .option('--throttle <chance>', 'a table refuses', chance, noFaults.throttle)
    .addHelpText('after', '\nA chance is a number from 0 (never) to 1 (always).')
    .action(start);
}

/** Reads the address of a broker; who reads an error of it must not read a password. */
function mqttUrl(text: string): string {
  try {
    brokerAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

async function start(flags: Flags): Promise<void> {
  if (flags.assembly === undefined) {
    printError('making the template that would be deployed …');
    await synthesize(ASSEMBLY);
  } else {
    await assertAssembly(flags.assembly);
  }
  const feed = createEventFeed((error) => printError(`a listener failed: ${String(error)}`));
  feed.listen((event) => {
    const line = lineOf(event, flags.logs);
    if (line !== undefined) printError(printable(line, LINE_CHARS_MAX));
  });
  const assembly = flags.assembly ?? ASSEMBLY;
  const cloud = await startCloud({
    assembly,
    host: HOST,
    mqttPort: flags.port,
    mqttsPort: flags.mqttsPort ?? (flags.port === MQTT_PORT ? MQTTS_PORT : 0),
    ...(flags.broker !== undefined && { brokerUrl: flags.broker }),
    apiPort: flags.apiPort,
    ...(flags.data !== undefined && { dataDir: flags.data }),
    ...(flags.dynamodb !== undefined && { dynamodbUrl: flags.dynamodb }),
    seed: flags.seed,
    speed: flags.speed,
    faults: faultsOf(flags),
    observe: feed.observe,
    clock: systemClock,
  });
  try {
    const page = await startConsole({
      port: flags.consolePort ?? (flags.apiPort === API_PORT ? CONSOLE_PORT : 0),
      cloud,
      feed,
      assembly,
      brokerHost: flags.broker === undefined ? HOST : undefined,
      seed: flags.seed,
    });
    print(welcome(cloud, flags, page));
    const signal = await interruption();
    printError(`\n${signal}: stopping`);
    await page.close();
  } finally {
    await cloud.close();
  }
}

async function assertAssembly(dir: string): Promise<void> {
  const files: readonly string[] = await readdir(dir).catch(() => []);
  if (files.includes('manifest.json')) return;
  throw new Error(
    `${dir} holds no assembly (manifest.json); make one with: npx cdk synth --output ${dir}`,
  );
}

function faultsOf(flags: Flags): Faults {
  const entries = Object.keys(noFaults).map((name) => [name, flags[name as keyof Faults]]);
  return Object.fromEntries(entries) as unknown as Faults;
}

/** What a person who watches wants to know; the rest is for consoles and tests. */
function lineOf(event: CloudEvent, logs: boolean): string | undefined {
  switch (event.kind) {
    case 'disconnect':
      return `disconnected ${JSON.stringify(event.clientId)}: ${event.reason}`;
    case 'fault':
      return `fault ${event.fault} at ${event.where}`;
    case 'fallback':
      return `rule ${event.rule} takes its error action: ${event.reason}`;
    case 'dead-letter':
      return `dead letter in ${event.queueName}: ${event.reason}`;
    case 'invocation':
      return event.error && `${event.functionName} ended with ${event.outcome}: ${event.error}`;
    case 'log':
      return logs ? event.line : undefined;
    case 'rule-not-found':
      return `Basic Ingest names the rule ${JSON.stringify(event.rule)}, which is not there`;
    case 'lost':
      return `LOST at ${event.where}, ${JSON.stringify(event.topic)}: ${event.reason}`;
    case 'delivery':
    case 'table':
    case 'published':
      return undefined;
  }
}

function welcome(cloud: LocalCloud, flags: Flags, page: LocalConsole): string {
  const at = new Date().toISOString();
  const body = `{"id":"a-1","account":"acme","kWh":"1.25","at":"${at}"}`;
  const kept = flags.dynamodb ?? (flags.data === undefined ? 'in memory' : `kept in ${flags.data}`);
  const ledger = `  npm run -s ledger -- meter-17${flags.apiPort === API_PORT ? '' : ` --endpoint ${cloud.apiUrl}`}`;
  return [
    'Tollbridge runs on this machine:',
    '',
    ...mqttLines(cloud, flags),
    `  DynamoDB  ${cloud.apiUrl}   (${kept})`,
    `  ledger    ${cloud.tableName('Ledger')}`,
    `  console   ${page.url}#token=${page.token}`,
    '',
    'Try it, twice:',
    '',
    ...(flags.broker === undefined
      ? [...requestLines(`-V 311 -p ${cloud.mqttPort}`, body), ...sendLines(cloud, flags, body)]
      : requestLines(`-V 5 ${hostFlags(flags.broker)}`, body, USER_PROPERTY)),
    ledger,
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}

/** What it shows is kept by the rule and reaches the function; the route decides what it means. */
const USER_PROPERTY = ' \\\n    -D publish user-property meter-firmware 4.2';

function mqttLines(cloud: LocalCloud, { broker, apiPort }: Flags): readonly string[] {
  const { mqttPort, mqttsPort, basicIngest } = cloud;
  const local = apiPort === API_PORT ? '' : ` --local ${cloud.apiUrl}`;
  if (broker === undefined) {
    return [
      `  MQTT      mqtt://${HOST}:${mqttPort}   (MQTT 3.1.1; the client id is the thing's name)`,
      `  with TLS  mqtts://localhost:${mqttsPort}   (npm run -s tollbridge -- device add NAME${local})`,
    ];
  }
  return [
    `  MQTT      ${brokerAddress(broker).name}   (outside, MQTT 5; who may publish where is up to it)`,
    ...(basicIngest ? [] : ['            it refuses $aws/rules/#: no Basic Ingest here']),
  ];
}

function hostFlags(broker: string): string {
  const { port } = brokerAddress(broker);
  return `-h ${new URL(broker).hostname} -p ${port}`;
}

function requestLines(connection: string, body: string, properties = ''): readonly string[] {
  return [
    `  mosquitto_rr ${connection} -i meter-17 -t billing/meter-17/charges \\`,
    `    -e tollbridge/meter-17/receipts -m '${body}'${properties}`,
    '',
  ];
}

function sendLines({ mqttPort }: LocalCloud, { port }: Flags, body: string): readonly string[] {
  return [
    'or, without Mosquitto:',
    '',
    `  npm run -s send -- charges meter-17 '${body}'${port === MQTT_PORT ? '' : ` --port ${mqttPort}`}`,
  ];
}

function interruption(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
