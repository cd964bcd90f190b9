/** A local cloud with its console, from any configuration. */
import { get } from 'node:http';
import type { Config } from '../../core/config/route.ts';
import { type LocalConsole, startConsole } from '../../local/console/console.ts';
import type { Counts } from '../../local/console/counters.ts';
import type { DeliveryShown } from '../../local/console/deliveries.ts';
import type { CloudEvent, Faults } from '../../local/contracts.ts';
import { createEventFeed } from '../../local/feed.ts';
import type { FleetControllerStatus } from '../../local/fleet/controller.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { REDELIVERING_SOON, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';

interface Answered<Body> {
  readonly status: number;
  readonly body: Body;
}

export interface ConsoleBench {
  readonly bridge: TestCloud;
  readonly console: LocalConsole;
  /** The folder of the assembly that runs. */
  readonly assembly: string;
  /** Errors of listeners; none in a run that works. */
  readonly failures: readonly unknown[];
  /** Ends with the next event that fits. */
  next(fits: (event: CloudEvent) => boolean): Promise<CloudEvent>;
  get<Body>(path: string): Promise<Answered<Body>>;
  post<Body>(path: string, wish: unknown, token?: string): Promise<Answered<Body>>;
  hello(): Promise<Hello>;
  close(): Promise<void>;
}

/** The first message of the stream, which says all that is known. */
interface Hello {
  readonly deliveries: readonly DeliveryShown[];
  readonly counts: Counts;
  readonly desk: FleetControllerStatus;
  readonly faults: Faults;
}

/** What a refusal holds. */
export interface Problem {
  readonly error: string;
}

export async function startConsoleBench(
  config: Config,
  functionOverrides: Readonly<Record<string, string>> = {},
): Promise<ConsoleBench> {
  const assembly = await assemblyOf(config);
  const failures: unknown[] = [];
  const feed = createEventFeed((error) => failures.push(error));
  const kept = await startTestCloud(
    assembly,
    {},
    { ...REDELIVERING_SOON, observe: feed.observe, functionOverrides },
  );
  const console = await startConsole({
    port: 0,
    cloud: kept.cloud,
    feed,
    assembly: assembly,
    brokerHost: '127.0.0.1',
    seed: 5,
    // The rates are tried in the server's own tests.
    limits: { readsPerSecond: 10_000, changesPerSecond: 10_000 },
  });
  const answered = async <Body>(response: Response): Promise<Answered<Body>> => ({
    status: response.status,
    body: (await response.json()) as Body,
  });
  return {
    bridge: kept,
    console,
    assembly: assembly,
    failures,
    next: (fits) =>
      new Promise((resolve) => {
        const stop = feed.listen((event) => {
          if (!fits(event)) return;
          stop();
          resolve(event);
        });
      }),
    get: async (path) => answered(await fetch(new URL(path, console.url))),
    post: async (path, wish, token = console.token) =>
      answered(
        await fetch(new URL(path, console.url), {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(wish),
        }),
      ),
    hello: () => firstOf(new URL('/api/stream', console.url)),
    async close() {
      await console.close();
      await kept.cloud.close();
    },
  };
}

/** Opens the stream and leaves it after its first message. */
function firstOf(url: URL): Promise<Hello> {
  return new Promise((resolve, reject) => {
    const outgoing = get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const data = /^data: (.*)\n\n/m.exec(text)?.[1];
        if (data === undefined) return;
        outgoing.destroy();
        resolve(JSON.parse(data) as Hello);
      });
    });
    outgoing.on('error', reject);
  });
}
