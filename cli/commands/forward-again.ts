/** `tollbridge forward-again`: publishes the forward of a booked message once more (I4). */

import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { Command } from 'commander';
import type { Route } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { encodeId, type MessageKey, partitionOf } from '../../core/message/id.ts';
import { type Message, readMessage } from '../../core/message/message.ts';
import { deliveryFromRow } from '../../core/tables/delivery-from-row.ts';
import type { Publisher } from '../../core/tables/ports.ts';
import { forwardOf } from '../../core/wire/forward.ts';
import { bytesOrTextOf, textOf } from '../../lambda/adapters/attributes.ts';
import type { BridgeClient } from '../access/access.ts';
import { routeInStep } from '../access/deployed-routes.ts';
import { AccessError } from '../access/failures.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { publisherOf, publishFault } from '../access/publishing.ts';
import { withBridge } from '../access/with-bridge.ts';
import { deviceName } from '../device/name.ts';
import type { Item } from '../output/items.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { forTerminal } from '../output/safe.ts';
import { EXIT, UsageError } from '../shell/usage.ts';

interface Flags extends AccessFlags, OutputFlags {
  readonly route?: string;
}

const HELP = `
ID is the id as the ledger prints it; on a route that keeps the newest value it is the topic.
The same publication as that of the booking: same topic, same body, same tollbridge-id, by which
receivers skip what they have already. So nobody is asked, and it can be run as often as you like.
Nothing is written. The route must be the one that is deployed.
Exit status: 0 when it was published; 1 when there is no such row, or it failed; 2 for a wrong
command line, also where the route forwards nothing.

Examples:
  tollbridge forward-again meter-17 a-1
  tollbridge forward-again meter-17 int:42 --route charges --json
  tollbridge forward-again meter-17 status/meter-17 --route status --region eu-central-1`;

export function forwardAgainCommand(): Command {
  const command = new Command('forward-again')
    .description('publish the forward of a booked message once more')
    .argument('<device>', 'the thing', deviceName)
    .argument('<id>', 'of the message')
    .option('--route <name>', 'the route it came by; needed where several forward');
  return withOutput(withAccess(command))
    .addHelpText('after', HELP)
    .action(async (device: string, id: string, flags: Flags) => {
      await withBridge(flags, async (access) => {
        const { name } = forwardingRoute(access, flags.route);
        const route = await routeInStep(access, name);
        const again = await forwardAgain(access, publisherOf(access), route, device, id);
        const output = outputOf(flags);
        await output.list({ columns: COLUMNS, rows: [again], json: (one) => one });
        return EXIT.ok;
      });
    });
}

/** What went out. */
export interface Again {
  readonly route: string;
  readonly topic: string;
  readonly forwardedAs: string;
  readonly bytes: number;
}

const COLUMNS: readonly Column<Again>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'topic', text: ({ topic }) => topic },
  { name: 'forwardedAs', text: ({ forwardedAs }) => forwardedAs },
  { name: 'bytes', text: ({ bytes }) => String(bytes), align: 'right' },
];

function forwardingRoute(access: BridgeClient, name: string | undefined): Route {
  const { routes } = access.bridge;
  const forwarding = routes.filter(({ forward }) => forward !== null);
  const [only, ...others] = name === undefined ? forwarding : [access.route(name)];
  if (only === undefined) {
    throw new UsageError('no route of tollbridge.config.ts has a forward, so none can be repeated');
  }
  if (others.length > 0) {
    const names = forwarding.map((route) => route.name).join(', ');
    throw new UsageError(`several routes forward; say which with --route: ${names}`);
  }
  if (only.forward === null) {
    throw new UsageError(
      `routes.${only.name} has no forward; give it one in tollbridge.config.ts and deploy`,
    );
  }
  return only;
}

/**
 * Publishes it as the function did.
 * @throws AccessError where there is no such row, or it can never go out
 */
export async function forwardAgain(
  access: BridgeClient,
  publisher: Publisher,
  route: Route,
  device: string,
  id: string,
): Promise<Again> {
  const key = { pk: route.guarantee === 'latest' ? device : partitionOf(route.name, device), id };
  const row = await readRow(access, route, key);
  const owner = textOf(row, 'firstDeliveryId');
  const message = messageIn(route, row, key);
  const forwardedAs = guaranteeOf(route).forwardId(route, { ...message, key }, owner);
  const reading = forwardOf({
    route: route.name,
    template: route.forward ?? '',
    topic: textOf(row, 'topic'),
    device: message.device,
    id: message.id,
    forwardId: forwardedAs,
    body: message.body,
    isJson: message.isJson,
    mark: undefined,
  });
  if (!reading.ok) throw new AccessError(`it cannot go out: ${reading.detail}`);
  const { publication } = reading;
  try {
    await publisher.publish(publication);
  } catch (error) {
    throw new AccessError(`it did not go out: ${publishFault(error, publication.topic)}`);
  }
  const bytes = Buffer.byteLength(publication.payload);
  return { route: route.name, topic: publication.topic, forwardedAs, bytes };
}

async function readRow(access: BridgeClient, route: Route, key: MessageKey): Promise<Item> {
  const { Item: item } = await access.dynamodb.send(
    new GetItemCommand({
      TableName: access.tables[guaranteeOf(route).table],
      Key: { pk: { S: key.pk }, id: { S: key.id } },
      ConsistentRead: true,
    }),
  );
  if (item !== undefined) return item;
  throw new AccessError(
    `nothing is booked under ${forTerminal(key.pk)} and the id ${forTerminal(key.id)}; an integer id is int: and its digits, as the ledger prints it. What became of it says: tollbridge trace DEVICE ID`,
  );
}

/** What the row holds, read as its delivery was. */
function messageIn(route: Route, row: Item, key: MessageKey): Message {
  const device = textOf(row, 'device');
  // What was accepted out of the quarantine may stand under a spare key.
  const spare = /^([\s\S]+)~[0-9a-f]{64}$/.exec(key.id)?.[1];
  for (const id of [key.id, ...(spare === undefined ? [] : [spare])]) {
    const delivery = deliveryFromRow(route, {
      id,
      topic: textOf(row, 'topic'),
      body: bytesOrTextOf(row, 'body'),
      // The row stands, so it was found to be the device's own.
      clientId: device,
      principal: row.principal?.S ?? null,
      receivedAt: textOf(row, 'receivedAt'),
      deliveryId: textOf(row, 'firstDeliveryId'),
    });
    const reading = readMessage(route, delivery);
    if (reading.kind === 'rejected') continue;
    const { message } = reading;
    if (message.id === undefined || encodeId(message.id) === id) return message;
  }
  throw new AccessError(
    `the route ${route.name} does not read the id ${forTerminal(key.id)} from that row any more: its configuration has changed since, or its body was erased. What it forwarded is not guessed`,
  );
}
