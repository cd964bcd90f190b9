/**
 * A device of the demo: it sends each charge until it holds a receipt for that very body. The
 * sender's rules are those of docs/protocol.md, with shorter times.
 */

import mqtt, { type MqttClient } from 'mqtt';
import { bodyHashOf } from '../../core/base/hash.ts';
import { idText } from '../../core/message/id.ts';
import { readReceipts } from '../../core/wire/receipts.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import type { Charge, DevicePlan } from './charges.ts';

export interface DeviceOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  /** Without a receipt for so long, the same bytes are sent again. */
  readonly patienceMillis: number;
  readonly onReceipt: () => void;
  readonly signal: AbortSignal;
}

/** Charges without a receipt at a time; IoT Core's own limit is 100. */
const UNRECEIPTED_MAX = 20;

/** The charges that were rejected, which is none in a run that works. */
export async function runDevice(
  plan: DevicePlan,
  options: DeviceOptions,
): Promise<readonly Charge[]> {
  const client = mqtt.connect({
    host: options.host,
    port: options.port,
    protocol: 'mqtt',
    protocolVersion: 4,
    clientId: plan.device,
    clean: false,
    reconnectPeriod: 50,
    reschedulePings: true,
  });
  // Nagle's algorithm would hold small packets back for the sake of full ones.
  client.on('connect', () => {
    if ('setNoDelay' in client.stream) (client.stream as { setNoDelay(): void }).setNoDelay();
  });
  // Connections are cut on purpose here; the client comes back by itself.
  client.on('error', () => {});
  try {
    return await sendAll(client, plan, options);
  } finally {
    await client.endAsync(true);
  }
}

function sendAll(
  client: MqttClient,
  plan: DevicePlan,
  { topic, patienceMillis, onReceipt, signal }: DeviceOptions,
): Promise<readonly Charge[]> {
  const waiting = [...plan.charges];
  const unreceipted = new Map<string, { charge: Charge; hash: string; timer: NodeJS.Timeout }>();
  const rejected: Charge[] = [];
  const send = (charge: Charge) => {
    // A PUBACK changes nothing, so nobody waits for it.
    client.publish(topic, charge.body, { qos: 1 }, () => {});
    const timer = setTimeout(send, patienceMillis, charge);
    unreceipted.set(charge.id, {
      charge,
      hash: bodyHashOf(topic, Buffer.from(charge.body)),
      timer,
    });
  };
  return new Promise((resolve, reject) => {
    const stop = () => {
      for (const { timer } of unreceipted.values()) clearTimeout(timer);
    };
    const next = () => {
      while (unreceipted.size < UNRECEIPTED_MAX && waiting.length > 0)
        send(waiting.shift() as Charge);
      if (unreceipted.size === 0) resolve(rejected);
    };
    client.on('message', (_topic, payload) => {
      const reading = readReceipts(payload);
      for (const receipt of reading.ok ? reading.receipts : []) {
        if (receipt.outcome === 'completed' || receipt.id === undefined) continue;
        const id = idText(receipt.id);
        const held = unreceipted.get(id);
        if (held === undefined || held.hash !== receipt.bodyHash) continue;
        clearTimeout(held.timer);
        unreceipted.delete(id);
        if (receipt.outcome === 'rejected') rejected.push(held.charge);
        onReceipt();
      }
      next();
    });
    client.subscribe(ownTopic(plan.device, 'receipts'), { qos: 1 }, (error) => {
      if (error) reject(error);
      else next();
    });
    signal.addEventListener('abort', () => {
      stop();
      reject(
        new Error(`${plan.device} still waits for ${unreceipted.size + waiting.length} receipts`),
      );
    });
  });
}
