/**
 * Devices without the library: they send a body once, send old ones again as they please, and use
 * each other's ids. What they say is plain bytes, as every MQTT client can say it.
 */
import { createHash } from 'node:crypto';
import { epochMillis, toIso } from '../../../core/base/time.ts';
import { amountText } from '../amounts.ts';
import type { Meant } from '../check/history.ts';
import { RAW_DEVICES, type Step } from '../plan.ts';
import { basicIngestTopic, ignoresStamp, type RouteName, topicOf } from '../routes.ts';
import type { Broker } from './broker.ts';
import type { Packet } from './paths.ts';
import type { Shared } from './shared.ts';

interface Send {
  /** Its place among the raw devices. */
  readonly device: number;
  readonly route: RouteName;
  readonly id: number;
  readonly form: Meant['form'];
}

interface Sent {
  readonly route: RouteName;
  /** As it went out first, on the plain topic. */
  readonly packet: Packet & { readonly serial: number };
  /** How many copies followed it. */
  copies: number;
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
  readonly #sent: Sent[] = [];
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
    const amount = amountText(serial);
    const at = toIso(epochMillis(ownTime));
    const members = [
      ...fields,
      ...[`"serial":${serial}`, `"by":"${by}"`, '"account":"acme"', '"stamp":0'],
      `"kWh":${amount}`,
      ...(route === 'status' && form === 'no-id' ? [] : [`"at":"${at}"`]),
    ];
    const body = form === 'broken-body' ? `{${members.join(',')}` : `{${members.join(',')}}`;
    const meant: Meant = { serial, route, by, as, name, form, ownTime, amount };
    this.#shared.history.add({ kind: 'meant', ...meant });
    if (form !== 'good') this.#shared.faults.count(form);
    this.#sentIds.add(`${by} ${route} ${name}`);
    const packet = {
      ...{ topic: topicOf(route, as), payload: Buffer.from(body), client: by, serial },
      isCopy: false,
    };
    const sent = { route, packet, copies: 0 };
    this.#sent.push(sent);
    this.#carry(this.#addressed(sent));
  }

  /** The same once more: the same bytes, but for a field that the route ignores. */
  copy({ which, times, apartMillis }: Extract<Step, { do: 'copy' }>): void {
    const { clockwork, faults } = this.#shared;
    const sent = this.#sent[which % Math.max(1, this.#sent.length)];
    if (sent === undefined) return;
    for (let n = 0; n < times; n++) {
      clockwork.after(n * apartMillis, () => {
        faults.count('copy-sent');
        sent.copies++;
        this.#carry({ ...this.#addressed(sent), isCopy: true });
      });
    }
  }

  /** Only on routes that never forget: elsewhere a release binds its device. */
  release(device: number, id: number, isForeign: boolean): void {
    const by = RAW_DEVICES[device] ?? RAW_DEVICES[0];
    const name = CHARGE_IDS[id] ?? '"k0"';
    if (!isForeign && !this.#sentIds.has(`${by} charges ${name}`)) {
      this.#shared.faults.count('release-first');
    }
    const text = `{"v":1,"route":"charges","ids":[${name}]}`;
    this.#request(by, isForeign, 'release', text);
  }

  /** Asks what became of an earlier message: its sender does, or the other device. */
  query(which: number, isForeign: boolean): void {
    const sent = this.#sent[which % Math.max(1, this.#sent.length)];
    if (sent === undefined) return;
    const { topic, payload, client } = sent.packet;
    const [, id] = /"id":("[^"]*"|\d+)/.exec(payload.toString()) ?? [];
    const hash = createHash('sha256').update(topic).update('\0').update(payload).digest('hex');
    const route = topic.split('/')[0] === 'billing' ? 'charges' : topic.split('/')[0];
    const asked = `{${id === undefined ? '' : `"id":${id},`}"bodyHash":"${hash}"}`;
    const by = isForeign ? this.#otherOf(client) : client;
    this.#request(by, isForeign, 'query', `{"v":1,"route":"${route}","messages":[${asked}]}`);
  }

  #otherOf(device: string): string {
    return RAW_DEVICES.find((name) => name !== device) ?? device;
  }

  /** As it goes out this time: by either topic, and stamped anew where the route ignores that. */
  #addressed({ route, packet, copies }: Sent): Packet {
    const { faults } = this.#shared;
    const isBasic = (packet.serial + copies) % 3 === 0;
    if (isBasic) faults.count('basic-ingest');
    const topic = isBasic ? basicIngestTopic(route, packet.topic) : packet.topic;
    if (copies === 0 || !ignoresStamp(route)) return { ...packet, topic };
    faults.count('copy-restamped');
    const text = packet.payload.toString();
    const payload = Buffer.from(text.replace('"stamp":0', `"stamp":${copies}`));
    return { ...packet, topic, payload };
  }

  #request(client: string, isForeign: boolean, kind: 'release' | 'query', text: string): void {
    const { faults } = this.#shared;
    if (isForeign) faults.count('foreign-request');
    const topic = `tollbridge/${isForeign ? this.#otherOf(client) : client}/${kind}`;
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
