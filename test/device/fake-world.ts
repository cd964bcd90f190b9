/**
 * The device's logic on ports alone: a clock that stands until it is moved, a network that does what
 * the test says, a disk in memory. No time passes and nothing is random.
 */
import { epochMillis } from '../../core/base/time.ts';
import type { DeviceEvents } from '../../device/events.ts';
import type { Entry } from '../../device/outbox/entry.ts';
import type { Outbox } from '../../device/outbox/outbox.ts';
import { openOutbox } from '../../device/outbox/start.ts';
import type { Publication, PublishOutcome, Timers, Transport } from '../../device/ports.ts';
import { type Draft, draftOf } from '../../device/publish/body.ts';
import { checkRoutes, type DeviceRoute, type Routes } from '../../device/publish/profile.ts';
import { Sender, type SenderSettings } from '../../device/publish/sender.ts';
import { MemoryStore } from './memory-store.ts';

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeTimers implements Timers {
  #now = 0;
  #serial = 0;
  readonly #waits = new Map<number, { readonly at: number; readonly task: () => void }>();

  now(): number {
    return this.#now;
  }

  after(millis: number, task: () => void): () => void {
    const serial = this.#serial++;
    this.#waits.set(serial, { at: this.#now + millis, task });
    return () => this.#waits.delete(serial);
  }

  /** Moves on, stopping at every wait that ends on the way. */
  async advance(millis: number): Promise<void> {
    const until = this.#now + millis;
    for (;;) {
      await settle();
      const [first] = [...this.#waits].sort(([, one], [, other]) => one.at - other.at);
      if (first === undefined || first[1].at > until) break;
      this.#waits.delete(first[0]);
      this.#now = Math.max(this.#now, first[1].at);
      first[1].task();
    }
    this.#now = until;
    await settle();
  }
}

interface Sent extends Publication {
  readonly at: number;
  readonly text: string;
  /** Answers the PUBLISH, where the network does not do so by itself. */
  readonly answer: (outcome: PublishOutcome) => void;
}

class FakeTransport implements Transport {
  readonly sent: Sent[] = [];
  /** Whether each PUBLISH is acknowledged at once. */
  acknowledges = true;
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  publish(publication: Publication): Promise<PublishOutcome> {
    return new Promise((answer) => {
      const text = Buffer.from(publication.payload).toString();
      this.sent.push({ ...publication, at: this.#timers.now(), text, answer });
      if (this.acknowledges) answer({ kind: 'acknowledged' });
    });
  }

  on(topic: string): readonly Sent[] {
    return this.sent.filter((publication) => publication.topic === topic);
  }
}

export const TOPIC = 'billing/m/charges';
const ROUTES: Routes = {
  charges: { topic: TOPIC, idField: 'id' },
  full: { topic: 'full/m', idField: 'id', handshake: 'full' },
  counted: { topic: 'counted/m', epochField: 'boot', seqField: 'seq' },
  hashed: { topic: 'hashed/m', idFrom: 'body' },
};

export interface World {
  readonly timers: FakeTimers;
  readonly transport: FakeTransport;
  readonly store: MemoryStore;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly told: {
    [Name in keyof DeviceEvents]: { name: Name; args: DeviceEvents[Name] };
  }[keyof DeviceEvents][];
  /** Publishes and waits until it is on disk. */
  enqueue(route: string, body: object, id?: string): Promise<Entry>;
  draft(route: string, body: object, id?: string): Draft;
  /** Gives the sender receipts as the bridge sends them. */
  answer(route: string, ...receipts: object[]): Promise<void>;
  ids(topic?: string): readonly string[];
}

function routeOf(name: string): DeviceRoute {
  const route = checkRoutes(ROUTES, []).get(name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}

let drawn = 0;

export async function startWorld(
  settings: Partial<SenderSettings> = {},
  disk?: ReadonlyMap<string, Buffer>,
  limits = { messages: 10_000, bytes: 10_000_000 },
): Promise<World> {
  const timers = new FakeTimers();
  const transport = new FakeTransport(timers);
  const store = new MemoryStore(disk);
  const told: World['told'] = [];
  const outbox = await openOutbox('m', {
    store,
    limits,
    clock: () => epochMillis(1_700_000_000_000 + timers.now()),
    drawEpoch: () => `epoch-${drawn++}`,
    onError: (error) => told.push({ name: 'error', args: [error as never] }),
  });
  const sender = new Sender(
    {
      deviceId: 'm',
      inFlightMax: 100,
      perSecondMax: 100,
      retry: { firstMillis: 30_000, maxMillis: 600_000 },
      releaseLingerMillis: 1_000,
      queryBeforeResend: false,
      qosOf: () => 1,
      ...settings,
    },
    {
      outbox,
      transport,
      timers,
      random: () => 0,
      emit: (name, ...args) => told.push({ name, args } as World['told'][number]),
      settled: () => {},
    },
  );
  const draft = (route: string, body: object, id?: string) =>
    draftOf(routeOf(route), body, id, {
      draw: () => `drawn-${drawn++}`,
      nextNumber: (name) => outbox.nextNumber(name),
    });
  return {
    timers,
    transport,
    store,
    outbox,
    sender,
    told,
    draft,
    async enqueue(route, body, id) {
      const { entry, written, isNew } = outbox.enqueue(draft(route, body, id));
      await written;
      if (isNew) sender.add(entry);
      return entry;
    },
    async answer(route, ...receipts) {
      sender.receipts(Buffer.from(JSON.stringify({ v: 1, route, receipts })));
      await settle();
    },
    ids: (topic = TOPIC) =>
      transport.on(topic).map(({ text }) => (JSON.parse(text) as { id: string }).id),
  };
}

/** The receipt of a message, as the bridge words it. */
export function receipt({ record }: Entry, outcome = 'accepted', more: object = {}): object {
  const id = record.id.kind === 'text' ? record.id.text : undefined;
  const bookedAt = outcome === 'accepted' || outcome === 'duplicate' ? { bookedAt: 5 } : {};
  return { id, bodyHash: record.hash, outcome, ...bookedAt, ...more };
}
