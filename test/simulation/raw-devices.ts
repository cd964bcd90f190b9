/**
 * Devices without the library: they send a body once, send old ones again as they please, and use
 * each other's ids. What they say is plain bytes, as every MQTT client can say it.
 */
import { createHash } from 'node:crypto';
import { epochMillis, toIso } from '../../core/time.ts';
import type { Broker } from './broker.ts';
import type { Meant } from './history.ts';
import { RAW_DEVICES } from './plan.ts';
import type { Packet } from './roads.ts';
import { type RouteName, topicOf } from './routes.ts';
import type { Shared } from './shared.ts';

interface Send {
  /** Its place among the raw devices. */
  readonly device: number;
  readonly route: RouteName;
  readonly id: number;
  readonly form: Meant['form'];
}

/** The same few ids on every device. The number 1 and the text "1" are two. */
const CHARGE_IDS = ['"k0"', '"k1"', '1', '"1"', '"int:1"'];
/** Pairs that run into one another when they are joined without care. */
const PAIRS = [
  ['a:b', 'c'],
  ['a', 'b:c'],
  ['a,b', 'c'],
  ['a', 'b,c'],
  ['a', 'b:c'],
] as const;
const EPOCHS = ['e', 'e', 'e:1', 'e', 'f'];
const NUMBERS = [1, 2, 1, 11, 1];

export class RawDevices {
  readonly #shared: Shared;
  readonly #broker: Broker;
  readonly #aheadMillis: readonly number[];
  readonly #nextSerial: () => number;
  readonly #packets: Packet[] = [];
  /** By device and route, what was sent at least once. */
  readonly #sentIds = new Set<string>();

  constructor(
    shared: Shared,
    broker: Broker,
    options: { readonly aheadMillis: readonly number[]; readonly nextSerial: () => number },
  ) {
    this.#shared = shared;
    this.#broker = broker;
    this.#aheadMillis = options.aheadMillis;
    this.#nextSerial = options.nextSerial;
    for (const device of RAW_DEVICES) broker.listen(device, { hear: () => true });
  }

  send({ device, route, id, form }: Send): void {
    const by = RAW_DEVICES[device] ?? RAW_DEVICES[0];
    const as = form === 'foreign-topic' ? (RAW_DEVICES[1 - device] ?? by) : by;
    const serial = this.#nextSerial();
    const ownTime = this.#shared.clock() + (this.#aheadMillis[device] ?? 0);
    const { fields, name } = idFields(route, id, form, ownTime, serial);
    const at = toIso(epochMillis(ownTime));
    const members = [
      ...fields,
      ...[`"serial":${serial}`, `"by":"${by}"`, '"account":"acme"', '"kWh":2.5'],
      ...(route === 'status' && form === 'no-id' ? [] : [`"at":"${at}"`]),
    ];
    const body = form === 'broken-body' ? `{${members.join(',')}` : `{${members.join(',')}}`;
    const meant: Meant = { serial, route, by, as, name, form, ownTime };
    this.#shared.history.add({ kind: 'meant', ...meant });
    if (form !== 'good') this.#shared.faults.count(form);
    this.#sentIds.add(`${by} ${route} ${name}`);
    const topic = topicOf(route, as);
    const packet = { topic, payload: Buffer.from(body), client: by, serial, isCopy: false };
    this.#packets.push(packet);
    this.#carry(packet);
  }

  /** The same bytes once more. */
  copy(which: number): void {
    const packet = this.#packets[which % Math.max(1, this.#packets.length)];
    if (packet === undefined) return;
    this.#shared.faults.count('copy-sent');
    this.#carry({ ...packet, isCopy: true });
  }

  /** Only on routes that never forget: elsewhere a release binds its device. */
  release(device: number, id: number): void {
    const by = RAW_DEVICES[device] ?? RAW_DEVICES[0];
    const name = CHARGE_IDS[id] ?? '"k0"';
    if (!this.#sentIds.has(`${by} charges ${name}`)) this.#shared.faults.count('release-first');
    this.#request(by, 'release', `{"v":1,"route":"charges","ids":[${name}]}`);
  }

  /** Asks what became of an earlier message. */
  query(which: number): void {
    const packet = this.#packets[which % Math.max(1, this.#packets.length)];
    if (packet === undefined) return;
    const { topic, payload, client } = packet;
    const [, id] = /"id":("[^"]*"|\d+)/.exec(payload.toString()) ?? [];
    const hash = createHash('sha256').update(topic).update('\0').update(payload).digest('hex');
    const route = topic.split('/')[0] === 'billing' ? 'charges' : topic.split('/')[0];
    const asked = `{${id === undefined ? '' : `"id":${id},`}"bodyHash":"${hash}"}`;
    this.#request(client, 'query', `{"v":1,"route":"${route}","messages":[${asked}]}`);
  }

  #request(client: string, kind: 'release' | 'query', text: string): void {
    const topic = `tollbridge/${client}/${kind}`;
    this.#carry({ topic, payload: Buffer.from(text), client, serial: undefined, isCopy: false });
  }

  /** It never learns what became of it, and does not ask. */
  #carry(packet: Packet): void {
    const nothing = () => {};
    this.#broker.carry(packet, { acknowledged: nothing, refused: nothing, cut: nothing });
  }
}

/** The fields that hold the id, as JSON, and what the harness calls it. */
function idFields(
  route: Send['route'],
  id: number,
  form: Send['form'],
  ownTime: number,
  serial: number,
): { readonly fields: readonly string[]; readonly name: string } {
  const none = form === 'no-id';
  const unnamed = `none-${serial}`;
  switch (route) {
    case 'charges': {
      const name = CHARGE_IDS[id] ?? '"k0"';
      return none ? { fields: ['"id":""'], name: unnamed } : { fields: [`"id":${name}`], name };
    }
    case 'counted': {
      const [epoch, number] = [EPOCHS[id] ?? 'e', NUMBERS[id] ?? 1];
      const fields = [`"boot":"${epoch}"`, ...(none ? [] : [`"seq":${number}`])];
      return { fields, name: none ? unnamed : JSON.stringify([epoch, number]) };
    }
    case 'joined': {
      const [place, part] = PAIRS[id] ?? PAIRS[0];
      const fields = [`"place":"${place}"`, ...(none ? [] : [`"part":"${part}"`])];
      return { fields, name: none ? unnamed : JSON.stringify([place, part]) };
    }
    case 'events':
    case 'readings':
    case 'alerts':
      return none ? { fields: [], name: unnamed } : { fields: [`"id":"k${id}"`], name: `"k${id}"` };
    case 'signals':
      return none
        ? { fields: ['"kind":null'], name: unnamed }
        : { fields: [`"kind":"kind-${id % 2}"`], name: `kind-${id % 2}` };
    case 'status':
      return { fields: [], name: String(ownTime) };
  }
}
