/**
 * The one way in which commands reach a bridge. The same SDK clients serve AWS and the local
 * cloud; only their settings differ. Names come from the stacks' outputs, routes from
 * `tollbridge.config.ts`, which therefore has to be the one that was deployed.
 *
 * Owns the clients that were made through it; `close` ends them.
 */

import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { quoted } from '../../core/base/printable.ts';
import type { Bridge, Route } from '../../core/config/route.ts';
import { pascalCase } from '../../core/config/route.ts';
import { UsageError } from '../shell/usage.ts';
import { AccessError, explained } from './failures.ts';
import { type AccessFlags, type Choice, choiceOf } from './options.ts';
import { readBridge } from './routes.ts';
import {
  type Outputs,
  readOutputs,
  readResources,
  type StackResource,
  stackPrefixOf,
} from './stacks.ts';

export type TableKind = 'ledger' | 'dedupRecords' | 'state' | 'quarantine';

/** What any SDK client is made with. */
interface ClientSettings {
  readonly profile?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface BridgeClient {
  readonly kind: 'local' | 'aws';
  /** As the flags said; `explained` takes it. */
  readonly choice: Choice;
  /** For people: `the local cloud at URL`, or `Tollbridge on AWS in REGION`. */
  readonly where: string;
  readonly region: string;
  /** What the stacks' names begin with, e.g. `Tollbridge`. */
  readonly stack: string;
  /** The routes as configured. */
  readonly bridge: Bridge;
  /** Outputs of the stacks. */
  readonly outputs: Outputs;
  /** Table names. */
  readonly tables: Readonly<Record<TableKind, string>>;
  readonly dynamodb: DynamoDBClient;
  /** Any other client with the same settings; ended with the rest. */
  client<T extends { destroy(): void }>(make: (settings: ClientSettings) => T): T;
  /** The route of that name. @throws UsageError that lists the routes there are */
  route(name: string): Route;
  /** An output of a route, e.g. `QueueUrl`. @throws AccessError where it is not deployed */
  routeOutput(route: Pick<Route, 'name'>, output: RouteOutput): string;
  /** Resources of one of the bridge's stacks; none where there is no such stack. */
  resources(part: 'State' | 'Ingest' | 'Ops'): Promise<readonly StackResource[]>;
  close(): void;
}

type RouteOutput = 'RuleName' | 'BasicIngestPrefix' | 'QueueUrl' | 'DeadLettersUrl';

/** Any key and Region do at the local cloud; those of the shell must not matter there. */
const LOCAL_SETTINGS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
} as const;

/**
 * Finds the bridge and its tables.
 * @throws UsageError, AccessError
 */
export async function openAccess(flags: AccessFlags, bridge?: Bridge): Promise<BridgeClient> {
  const choice = choiceOf(flags);
  const opened = new Set<{ destroy(): void }>();
  const client: BridgeClient['client'] = (make) => {
    const made = make(settingsOf(choice));
    opened.add(made);
    return made;
  };
  const close = () => {
    for (const each of opened) each.destroy();
    opened.clear();
  };
  try {
    return await connect(choice, bridge ?? (await readBridge()), client, close);
  } catch (error) {
    close();
    throw explained(error, choice);
  }
}

async function connect(
  choice: Choice,
  bridge: Bridge,
  client: BridgeClient['client'],
  close: () => void,
): Promise<BridgeClient> {
  const stack = stackPrefixOf(choice.stack ?? pascalCase(bridge.name));
  const stacks = client((settings) => new CloudFormationClient(settings));
  const region = await stacks.config.region();
  const place = choice.kind === 'local' ? `the local cloud at ${choice.url}` : `AWS in ${region}`;
  const where = choice.kind === 'local' ? place : `${stack} on ${place}`;
  const outputs = await readOutputs(stacks, stack, place);
  return {
    kind: choice.kind,
    choice,
    where,
    region,
    stack,
    bridge,
    outputs,
    tables: {
      ledger: outputOf(outputs, 'LedgerTableName', stack),
      dedupRecords: outputOf(outputs, 'DedupRecordsTableName', stack),
      state: outputOf(outputs, 'StateTableName', stack),
      quarantine: outputOf(outputs, 'QuarantineTableName', stack),
    },
    dynamodb: client((settings) => new DynamoDBClient(settings)),
    client,
    route: (name) => routeOf(bridge, name),
    routeOutput: ({ name }, output) => routeOutput(outputs, name, output, where),
    resources: (part) => readResources(stacks, `${stack}-${part}`),
    close,
  };
}

function settingsOf(choice: Choice): ClientSettings {
  switch (choice.kind) {
    case 'local':
      return { ...LOCAL_SETTINGS, endpoint: choice.url };
    case 'aws':
      return {
        ...(choice.profile !== undefined && { profile: choice.profile }),
        ...(choice.region !== undefined && { region: choice.region }),
      };
  }
}

function outputOf(outputs: Outputs, name: string, stack: string): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new AccessError(
    `the stacks ${stack}-State and ${stack}-Ingest have no output ${name}; are they a bridge of this version?`,
  );
}

function routeOf(bridge: Bridge, name: string): Route {
  const route = bridge.routes.find((candidate) => candidate.name === name);
  if (route !== undefined) return route;
  const names = bridge.routes.map((candidate) => candidate.name).join(', ');
  throw new UsageError(
    `there is no route ${quoted(name, 64)} in tollbridge.config.ts; it has: ${names}`,
  );
}

function routeOutput(outputs: Outputs, route: string, output: RouteOutput, where: string): string {
  const value = outputs[`${pascalCase(route)}${output}`];
  if (value !== undefined) return value;
  throw new AccessError(
    `the route ${route} of tollbridge.config.ts is not deployed at ${where}: its stack has no output ${pascalCase(route)}${output}`,
  );
}
