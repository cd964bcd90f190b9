/**
 * The local console: a page on loopback that shows what the local cloud does, and switches faults and
 * a small fleet on. It alone knows all of the console's parts and connects them.
 *
 * Owns their life. Invariant: what was started is ended by `close`, in an order in which nothing is
 * handed to a part that is gone.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../../core/base/time.ts';
import { indexShardsOf } from '../../core/config/route.ts';
import { seededChance } from '../chance.ts';
import type { LocalCloud } from '../cloud.ts';
import type { EventFeed } from '../feed.ts';
import { fleetRoute } from '../fleet/charges.ts';
import { FleetController } from '../fleet/controller.ts';
import { type ApiParts, ask, change } from './api.ts';
import { newToken } from './guard.ts';
import { Journal } from './journal.ts';
import { LedgerPages } from './ledger-pages.ts';
import { QuarantinePages } from './quarantine-pages.ts';
import { routesOf } from './routes.ts';
import { type ConsoleLimits, startConsoleServer } from './server.ts';
import { createStreamHub } from './stream.ts';

export interface ConsoleOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly cloud: LocalCloud;
  /** What the cloud's events go to. */
  readonly feed: EventFeed;
  /** The assembly that the cloud runs. */
  readonly assembly: string;
  /** Where the broker listens; undefined for one outside, to which the fleet does not connect. */
  readonly brokerHost: string | undefined;
  readonly seed: number;
  readonly clock?: Clock;
  /** @default - drawn anew at each start */
  readonly token?: string;
  readonly limits?: Partial<ConsoleLimits>;
}

export interface LocalConsole {
  readonly port: number;
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** What a page needs to change anything. */
  readonly token: string;
  close(): Promise<void>;
}

/** How often a page that is open is told what is new. */
const TURN_MILLIS = 250;

export async function startConsole(options: ConsoleOptions): Promise<LocalConsole> {
  const { cloud, clock = systemClock, token = newToken() } = options;
  const routes = routesOf(options.assembly);
  const client = consoleTables(cloud);
  const ledger = new LedgerPages(client, cloud.tableName('Ledger'), indexShardsOf(routes.values()));
  const desk = new FleetController({
    route:
      options.brokerHost === undefined
        ? 'The fleet connects to the embedded broker only, and this cloud uses one outside.'
        : fleetRoute(routes.values()),
    host: options.brokerHost ?? '127.0.0.1',
    port: cloud.mqttPort,
    ledger,
    clock,
    chance: seededChance(options.seed),
    observe: options.feed.observe,
  });
  const status = () => ({ faults: cloud.faults, desk: desk.status() });
  const hub = createStreamHub({
    turnMillis: TURN_MILLIS,
    pulse: () => ({ counts: journal.counters.snapshot(), ...status() }),
  });
  const journal = new Journal({
    routes,
    tables: {
      ledger: cloud.tableName('Ledger'),
      dedupRecords: cloud.tableName('DedupRecords'),
      state: cloud.tableName('State'),
      quarantine: cloud.tableName('Quarantine'),
    },
    clock,
    tell: (news) => hub.push(news),
    written: desk.written,
    delivered: desk.delivered,
  });
  const stopListening = options.feed.listen(journal.observe);
  const parts: ApiParts = {
    cloud,
    journal,
    ledger,
    quarantine: new QuarantinePages(client, cloud.tableName('Quarantine')),
    desk,
    changed: () => hub.push({ kind: 'changed' }),
  };
  const about = {
    routes: [...routes.values()].map(({ name, guarantee, topic }) => ({ name, guarantee, topic })),
  };
  try {
    const server = await startConsoleServer({
      port: options.port,
      token,
      clock,
      ask: (path, query) => ask(parts, path, query),
      change: (path, body) => change(parts, path, body),
      stream: (response) =>
        hub.open(response, {
          ...about,
          ...journal.recent(),
          counts: journal.counters.snapshot(),
          ...status(),
        }),
      ...(options.limits && { limits: options.limits }),
    });
    return {
      port: server.port,
      url: `http://127.0.0.1:${server.port}/`,
      token,
      async close() {
        hub.close();
        await server.close();
        await desk.close();
        stopListening();
        client.destroy();
      },
    };
  } catch (error) {
    stopListening();
    client.destroy();
    throw error;
  }
}

/** Reads the tables as an operator does; any credentials do here. */
function consoleTables(cloud: LocalCloud): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: cloud.apiUrl,
    region: cloud.region,
    credentials: { accessKeyId: 'console', secretAccessKey: 'local' },
  });
}
