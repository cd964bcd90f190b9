/**
 * What the tests of the commands that repair share: a local cloud of the real template whose
 * devices and receivers are real clients, and access as the commands have it.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type BridgeClient, openAccess } from '../../cli/access/access.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import type { Config } from '../../core/config/route.ts';
import { payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';

const common = { device: topicLevel(2) };

export const REPAIR_CONFIG: Config = {
  routes: {
    charges: {
      ...common,
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      id: payload('id'),
      entry: {
        account: payload('account'),
        amount: payload('kWh'),
        unit: 'kWh',
        occurredAt: payload('at'),
      },
      forward: 'booked/{device}/charges',
    },
    events: {
      ...common,
      guarantee: 'deduplicated',
      topic: 'events/+/all',
      id: payload('id'),
      window: { hours: 1 },
      forward: 'deduplicated/{device}/all',
    },
    status: {
      ...common,
      guarantee: 'latest',
      topic: 'status/+',
      version: timestamp('at'),
      forward: 'newest/{device}',
    },
  },
};

export interface Forwarded {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface RepairBench {
  readonly bridge: TestCloud;
  readonly access: BridgeClient;
  readonly local: readonly string[];
  /** Adds to what the rules' clock says; the functions keep that of the machine. */
  setClockAhead(millis: number): void;
  thing(name: string): Promise<Thing>;
  /** Publications on clean topics so far. */
  forwards(): readonly Forwarded[];
  close(): Promise<void>;
}

export async function startRepairBench(
  config: Config = REPAIR_CONFIG,
  options: Parameters<typeof startTestCloud>[2] = {},
): Promise<RepairBench> {
  const assembly = await assemblyOf(config);
  let aheadMillis = 0;
  const clock = (): EpochMillis => epochMillis(Date.now() + aheadMillis);
  const bridge = await startTestCloud(assembly, {}, { clock, ...options });
  const { apiUrl } = bridge.cloud;
  const access = await openAccess({ local: apiUrl }, checkConfig(config));
  const things: Thing[] = [];
  return {
    bridge,
    access,
    local: ['--local', apiUrl],
    setClockAhead: (millis) => {
      aheadMillis = millis;
    },
    async thing(name) {
      const thing = await connectThing(bridge.port, name);
      things.push(thing);
      return thing;
    },
    forwards: () =>
      bridge.events.flatMap((event) =>
        event.kind === 'published' && !event.topic.startsWith('tollbridge/')
          ? [{ topic: event.topic, payload: JSON.parse(event.payload.toString()) }]
          : [],
      ),
    async close() {
      await Promise.all(things.map((thing) => thing.end()));
      access.close();
      await bridge.cloud.close();
    },
  };
}

/** Ends with what the device was told of this body; of an earlier one it may be told once more. */
export async function told(thing: Thing, topic: string, body: string) {
  await thing.publish(topic, body);
  const bodyHash = bodyHashOf(topic, Buffer.from(body));
  for (;;) {
    const { receipts } = await thing.nextReceipts();
    const receipt = receipts.find((each) => each.bodyHash === bodyHash);
    if (receipt !== undefined) return receipt;
  }
}

/** The same for all, so that bodies differ in what a test has them differ in. */
const AT = new Date().toISOString();

export function charge(id: unknown, changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    id,
    account: 'acme',
    kWh: 1.25,
    at: AT,
    ...changes,
  });
}

/** Has the next request of that name fail, before it is sent or after it was answered. */
export function failNext(
  client: { readonly middlewareStack: object },
  command: string,
  when: 'before' | 'after',
  which: (input: unknown) => boolean = () => true,
): void {
  let left = 1;
  // Clients of every service have the same stack, each typed with its own requests.
  const { middlewareStack } = client as Pick<DynamoDBClient, 'middlewareStack'>;
  middlewareStack.add(
    (next, context: { readonly commandName?: string }) => async (args) => {
      const fails = context.commandName === command && which(args.input) && left-- > 0;
      if (fails && when === 'before') throw new Error('the process is gone');
      const answer = await next(args);
      if (fails) throw new Error('the process is gone');
      return answer;
    },
    { step: 'initialize' },
  );
}

/** What a terminal would obey, but for the end of a line. */
export const OBEYED = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
