/**
 * The broker and the network on both sides of it: what devices publish goes to the rules, what the
 * bridge publishes goes to devices and the receiver. Everything on the way can be lost, late,
 * overtaken or repeated.
 */
import { createHash } from 'node:crypto';
import { serialIn } from '../check/history.ts';
import { addressOf } from '../routes.ts';
import type { BridgePublication } from './functions.ts';
import type { Packet } from './paths.ts';
import type { Shared } from './shared.ts';

/** Whoever hears a receipts topic. */
export interface Listener {
  /** False when it is not there just now. */
  hear(payload: Buffer): boolean;
}

/** What the sender of a PUBLISH may learn of it; a lost one tells nothing. */
export interface Fate {
  readonly acknowledged: () => void;
  readonly refused: () => void;
  /** The connection that carries it is lost. */
  readonly cut: () => void;
}

interface SaidReceipt {
  readonly bodyHash?: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly fields?: readonly string[];
}

const RECEIPTS = /^tollbridge\/([^/]+)\/receipts$/;

export class Broker {
  readonly #shared: Shared;
  readonly #listeners = new Map<string, Listener>();
  /** Serials by the hash of topic and body, as the harness computes it. */
  readonly #serials = new Map<string, number>();
  readonly #sent = new Map<string, number>();
  readonly #lastTaken = new Map<string, number>();
  /** The rules. */
  take: (packet: Packet) => void = () => {};
  /** The receiver of forwards. */
  forward: (publication: BridgePublication) => void = () => {};

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  listen(device: string, listener: Listener): void {
    this.#listeners.set(device, listener);
  }

  /** Carries a PUBLISH from a device to the rules. */
  carry(packet: Packet, fate: Fate): void {
    const { clockwork, chance, faults } = this.#shared;
    if (packet.serial !== undefined) {
      const { visible } = addressOf(packet.topic);
      this.#serials.set(hashOf(visible, packet.payload), packet.serial);
    }
    const nth = (this.#sent.get(packet.client) ?? 0) + 1;
    this.#sent.set(packet.client, nth);
    const lost = faults.strike('packet-lost');
    if (lost !== undefined) {
      clockwork.after(1 + lost * 10, fate.cut);
      return;
    }
    if (faults.strike('puback-refused') !== undefined) {
      clockwork.after(chance.int(2, 100), fate.refused);
      return;
    }
    let latency = chance.int(1, 50);
    const delay = faults.strike('packet-delayed');
    if (delay !== undefined) latency += 1_000 + delay * 6_000;
    const overtaken = faults.meant('packet-reordered');
    if (overtaken !== undefined) latency += 40 + overtaken * 20;
    clockwork.after(latency, () => this.#arrive(packet, nth, fate));
  }

  #arrive(packet: Packet, nth: number, fate: Fate): void {
    const { clockwork, chance, faults } = this.#shared;
    const last = this.#lastTaken.get(packet.client) ?? 0;
    if (nth < last) faults.count('packet-reordered');
    this.#lastTaken.set(packet.client, Math.max(nth, last));
    if (faults.strike('puback-lost') === undefined) {
      clockwork.after(chance.int(1, 50), fate.acknowledged);
    }
    if (faults.strike('gone-after-puback') !== undefined) return;
    this.take(packet);
    const again = faults.strike('packet-repeated');
    if (again !== undefined) clockwork.after(1 + again * again, () => this.take(packet));
  }

  /** The bridge publishes. */
  bridge(publication: BridgePublication): void {
    const [, device] = RECEIPTS.exec(publication.topic) ?? [];
    if (device === undefined) {
      const text = publication.payload.toString();
      const mark = /^\{"v":1,"tollbridge-id":"(?:[^"\\]|\\.)*","(duplicate|unverified)"/.exec(text);
      const { invocation } = publication;
      const serial = serialIn(text) ?? -1;
      this.#shared.history.add({ kind: 'forwarded', serial, invocation, mark: mark?.[1] });
      this.forward(publication);
      return;
    }
    for (const said of receiptsIn(publication.payload)) {
      this.#shared.history.add({
        kind: 'receipt',
        device,
        serial: this.#serialOf(said),
        outcome: said.outcome,
        reason: said.reason,
        fields: said.fields ?? [],
        invocation: publication.invocation,
      });
    }
    this.#bring(device, publication.payload);
  }

  #bring(device: string, payload: Buffer): void {
    const { clockwork, chance, faults } = this.#shared;
    if (faults.strike('receipt-lost') !== undefined) return;
    const late = faults.strike('receipt-delayed');
    const latency = chance.int(1, 50) + (late === undefined ? 0 : 500 + late * late * 2_000);
    clockwork.after(latency, () => this.#hand(device, payload));
    const again = faults.strike('receipt-repeated');
    if (again !== undefined) {
      clockwork.after(latency + again * again * 10, () => this.#hand(device, payload));
    }
  }

  #hand(device: string, payload: Buffer): void {
    const isHeard = this.#listeners.get(device)?.hear(payload) ?? false;
    if (!isHeard) return;
    for (const said of receiptsIn(payload)) {
      const serial = this.#serialOf(said);
      this.#shared.history.add({ kind: 'told', device, serial, outcome: said.outcome });
    }
  }

  #serialOf({ bodyHash }: SaidReceipt): number | undefined {
    return bodyHash === undefined ? undefined : this.#serials.get(bodyHash);
  }
}

function receiptsIn(payload: Buffer): readonly SaidReceipt[] {
  return (JSON.parse(payload.toString()) as { receipts: readonly SaidReceipt[] }).receipts;
}

/** `bodyHash` of the protocol, written here a second time on purpose. */
function hashOf(topic: string, payload: Buffer): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('hex');
}
