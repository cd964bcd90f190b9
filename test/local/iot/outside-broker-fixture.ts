/** What the tests of the outside broker share: a fake broker, and the local cloud's end of it. */
import { EventEmitter, once } from 'node:events';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { epochMillis } from '../../../core/base/time.ts';
import { seededChance } from '../../../local/chance.ts';
import { type CloudEvent, type InboundMessage, noFaults } from '../../../local/contracts.ts';
import type { IotBroker } from '../../../local/iot/broker.ts';
import {
  createOutsideBroker,
  type OutsideBrokerOptions,
} from '../../../local/iot/outside-broker.ts';
import { closeLater } from '../../../tools/mqtt/broker-ground.ts';
import { type FakeBroker, type FakeBrokerAnswers, startFakeBroker } from './fake-mqtt5-broker.ts';

export const NOW = epochMillis(1_795_217_651_000);
export const TOPIC = 'billing/meter-17/charges';

export interface Bench {
  readonly fake: FakeBroker;
  readonly broker: IotBroker;
  readonly accepted: readonly InboundMessage[];
  readonly events: readonly CloudEvent[];
  /** The first event of a kind, now or later. */
  told<Kind extends CloudEvent['kind']>(kind: Kind): Promise<Extract<CloudEvent, { kind: Kind }>>;
}

export async function attachTo(
  fake: FakeBroker,
  options: Partial<OutsideBrokerOptions> = {},
): Promise<Bench> {
  const accepted: InboundMessage[] = [];
  const events: CloudEvent[] = [];
  const bell = new EventEmitter();
  const broker = await createOutsideBroker({
    url: `mqtt://127.0.0.1:${fake.port}`,
    filters: ['billing/+/charges'],
    deviceLevelOf: () => 2,
    accept: async (message) => void accepted.push(message),
    clock: () => NOW,
    faults: () => noFaults,
    chance: seededChance(1),
    ...options,
    observe(event) {
      events.push(event);
      bell.emit('event');
    },
  });
  closeLater(() => broker.close());
  const told: Bench['told'] = async (kind) => {
    for (;;) {
      const found = events.find((event) => event.kind === kind);
      if (found !== undefined) return found as never;
      await once(bell, 'event');
    }
  };
  return { fake, broker, accepted, events, told };
}

export async function fakeBroker(answers: Partial<FakeBrokerAnswers> = {}): Promise<FakeBroker> {
  const fake = await startFakeBroker(answers);
  closeLater(() => fake.close());
  return fake;
}

export async function start(options: Partial<OutsideBrokerOptions> = {}): Promise<Bench> {
  return attachTo(await fakeBroker(), options);
}

export function message(changes: Partial<IPublishPacket> = {}): Packet {
  return {
    cmd: 'publish',
    topic: TOPIC,
    payload: Buffer.from('{"id":1}'),
    qos: 1,
    messageId: 7,
    dup: false,
    retain: false,
    ...changes,
  };
}

/** A step that a test lets happen, and whose beginning it can await. */
export function gate() {
  const bell = new EventEmitter();
  const arrived = once(bell, 'arrive');
  const opened = once(bell, 'open');
  return {
    arrived,
    pass: async () => {
      bell.emit('arrive');
      await opened;
    },
    open: () => void bell.emit('open'),
  };
}
