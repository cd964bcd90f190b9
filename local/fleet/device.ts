/**
 * One device of a fleet, lighter than the device library: it keeps nothing on disk, so that a
 * thousand charges and a page that is watched cost little, and it can be told to contradict itself. Owns its connection and the charges without a receipt.
 * Invariant: a charge is sent, the same bytes each time, until a receipt names its very hash.
 */

import mqtt, { type MqttClient } from 'mqtt';
import { bodyHashOf } from '../../core/base/hash.ts';
import { readReceipts } from '../../core/wire/receipts.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import type { FleetCharge } from './charges.ts';

export interface FleetDeviceOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Told of each charge that has its receipt. */
  readonly settled: (charge: FleetCharge) => void;
}

/** IoT Core's own limit is 100 in flight; a fleet that meets it only makes the page unreadable. */
const UNRECEIPTED_MAX = 20;
const RESEND_MILLIS = 2_000;
const RESEND_MILLIS_MAX = 30_000;
const RECONNECT_MILLIS = 50;

interface Held {
  readonly charge: FleetCharge;
  timer: NodeJS.Timeout;
}

export class FleetDevice {
  readonly name: string;
  rejected = 0;
  readonly #settled: (charge: FleetCharge) => void;
  readonly #client: MqttClient;
  /** By the hash of the body. */
  readonly #held = new Map<string, Held>();

  constructor({ name, host, port, settled }: FleetDeviceOptions) {
    this.name = name;
    this.#settled = settled;
    this.#client = mqtt.connect({
      host,
      port,
      protocol: 'mqtt',
      protocolVersion: 4,
      clientId: name,
      // The session keeps its subscription, so that no receipt is missed before a new one.
      clean: false,
      reconnectPeriod: RECONNECT_MILLIS,
      reschedulePings: true,
    });
    // Nagle's algorithm would hold small packets back for the sake of full ones.
    this.#client.on('connect', () => {
      const { stream } = this.#client;
      if ('setNoDelay' in stream) (stream as { setNoDelay(): void }).setNoDelay();
    });
    // Connections are cut on purpose here; the client comes back by itself.
    this.#client.on('error', () => {});
    this.#client.on('message', (_topic, payload) => this.#receipts(payload));
    this.#client.subscribe(ownTopic(name, 'receipts'), { qos: 1 }, () => {});
  }

  get unreceipted(): number {
    return this.#held.size;
  }

  get isFull(): boolean {
    return this.#held.size >= UNRECEIPTED_MAX;
  }

  send(charge: FleetCharge): void {
    this.#try(charge, bodyHashOf(charge.topic, Buffer.from(charge.body)), RESEND_MILLIS);
  }

  /** Sends a body that nobody waits for a receipt of. */
  publish(topic: string, body: string): void {
    // A PUBACK changes nothing, so nobody waits for it.
    this.#client.publish(topic, body, { qos: 1 }, () => {});
  }

  reconnect(): void {
    this.#client.stream?.destroy();
  }

  async end(): Promise<void> {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    await this.#client.endAsync(true);
  }

  #try(charge: FleetCharge, hash: string, waitMillis: number): void {
    this.publish(charge.topic, charge.body);
    const next = Math.min(RESEND_MILLIS_MAX, waitMillis * 2);
    const timer = setTimeout(() => this.#try(charge, hash, next), waitMillis);
    this.#held.set(hash, { charge, timer });
  }

  #receipts(payload: Buffer): void {
    const reading = readReceipts(payload);
    for (const receipt of reading.ok ? reading.receipts : []) {
      if (receipt.outcome === 'completed') continue;
      const { bodyHash, outcome } = receipt;
      const held = this.#held.get(bodyHash);
      if (held === undefined) continue;
      clearTimeout(held.timer);
      this.#held.delete(bodyHash);
      if (outcome === 'rejected') this.rejected += 1;
      this.#settled(held.charge);
    }
  }
}
