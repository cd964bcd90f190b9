/** `tollbridge send`: a device in one line. It publishes a body and prints the receipt. */
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import mqtt from 'mqtt';
import { bodyHashOf } from '../../core/base/hash.ts';
import type { Route } from '../../core/config/route.ts';
import { topicFault } from '../../core/message/topics.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import { findRoute } from '../access/routes.ts';
import { print } from '../output/print.ts';
import { wholeNumber } from '../shell/options.ts';

interface Flags {
  readonly port: number;
  readonly topic?: string;
  readonly basicIngest?: string;
  readonly wait: number;
}

const HOST = '127.0.0.1';

export function sendCommand(): Command {
  return new Command('send')
    .description('publish one message to the local cloud as a device and print its receipt')
    .argument('<route>', 'a route of tollbridge.config.ts')
    .argument('<device>', 'the thing to be; also the client id')
    .argument('<body>', 'the JSON body, sent as it is')
    .option('--port <n>', 'port of the MQTT broker', wholeNumber(1, 65_535), 1883)
    .option('--topic <topic>', 'the topic, where the filter has more wildcards than the device')
    .option(
      '--basic-ingest <rule>',
      'publish through $aws/rules/RULE/, which has no message charge',
    )
    .option('--wait <seconds>', 'how long to wait for the receipt', wholeNumber(1, 600), 10)
    .addHelpText('after', '\nThe exit status is 1 when the message is rejected.')
    .action(async (routeName: string, device: string, body: string, flags: Flags) => {
      const route = await findRoute(routeName);
      if (route.receipts === 'none') {
        throw new Error(
          `routes.${routeName} sends no receipts (receipts: 'none'), so none can be shown`,
        );
      }
      const topic = flags.topic ?? topicOf(route, device);
      const payload = await sendOnce({ topic, device, body, flags });
      print(payload);
      if (payload.includes('"outcome":"rejected"')) process.exitCode = 1;
    });
}

/** The filter with the device in its place. */
function topicOf(route: Route, device: string): string {
  const levels = route.topic.split('/');
  levels[route.device.level - 1] = device;
  const topic = levels.join('/');
  const fault = topicFault(topic);
  if (fault === undefined) return topic;
  throw new Error(`the topic '${topic}' cannot be published on: ${fault}; name one with --topic`);
}

interface Sending {
  readonly topic: string;
  readonly device: string;
  readonly body: string;
  readonly flags: Flags;
}

/** The receipts payload that answers this very body. */
async function sendOnce({ topic, device, body, flags }: Sending): Promise<string> {
  const client = mqtt.connect({
    host: HOST,
    port: flags.port,
    protocol: 'mqtt',
    protocolVersion: 4,
    clientId: device === '' ? randomUUID() : device,
    reconnectPeriod: 0,
    connectTimeout: flags.wait * 1_000,
  });
  const hash = bodyHashOf(topic, Buffer.from(body));
  const path = flags.basicIngest === undefined ? topic : `$aws/rules/${flags.basicIngest}/${topic}`;
  try {
    return await new Promise<string>((resolve, reject) => {
      const timeout = setTimeout(
        () =>
          reject(new Error(`no receipt within ${flags.wait} s; the message may still be booked`)),
        flags.wait * 1_000,
      );
      const fail = (error: Error) => {
        clearTimeout(timeout);
        reject(error);
      };
      client.once('error', (error) => fail(unreachable(error, flags.port)));
      client.once('close', () =>
        fail(new Error('the broker ended the connection; its log says why')),
      );
      client.on('message', (_topic, payload) => {
        if (!payload.includes(hash)) return;
        clearTimeout(timeout);
        resolve(payload.toString());
      });
      client.once('connect', () => {
        client.subscribe(ownTopic(device, 'receipts'), { qos: 1 }, () => {
          client.publish(path, body, { qos: 1 });
        });
      });
    });
  } finally {
    await client.endAsync(true);
  }
}

function unreachable(error: Error, port: number): Error {
  return 'code' in error && error.code === 'ECONNREFUSED'
    ? new Error(`nothing listens on ${HOST}:${port}; bring the local cloud up with: npm start`)
    : error;
}
