/**
 * One MQTT connection after another, by MQTT.js.
 *
 * Owns the present client and the wait before the next. A client is used for one connection and
 * thrown away: MQTT.js keeps what is unacknowledged, or published while offline, and sends it by
 * itself on its next connection. The outbox alone decides what is sent, so no client has a next
 * connection, and nothing is published on one that is not connected.
 *
 * Invariants: at most one client at a time; `up` comes after the broker has granted the receipts;
 * each `up` is followed by one `down`; every publication is answered, with `lost` at the latest when
 * its connection ends.
 */

import { Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { printable } from '../../core/base/printable.ts';
import { topicMatches } from '../../core/message/topics.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import { ConnectionRefusedError, SubscriptionRefusedError } from '../errors.ts';
import type { Emit } from '../events.ts';
import type {
  Publication,
  PublishOutcome,
  Random,
  Subscription,
  Subscriptions,
  Timers,
  Transport,
  TransportListener,
} from '../ports.ts';
import { type RetryPolicy, waitMillis } from '../publish/schedule.ts';
import { type Arrival, acknowledgeByHand, disconnectAtOnce } from './manual-ack.ts';
import { refusalOf } from './refusal.ts';

export interface SessionSettings {
  readonly url: string;
  readonly deviceId: string;
  /** What MQTT.js is given beside: credentials, TLS, keep-alive. */
  readonly client: IClientOptions;
  readonly mqttVersion: '3.1.1' | '5';
  readonly persistentSession: boolean;
  /** For a persistent session: how long a broker keeps it while the device is away (MQTT 5). */
  readonly sessionExpirySeconds: number;
  readonly reconnect: RetryPolicy;
  /** A connection on which a PUBACK, or the SUBACK of the receipts, is missing so long is ended. */
  readonly pubackMillis: number;
}

export interface SessionPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly emit: Emit;
}

/** A connection that lasted for so long was a good one. */
const STEADY_MILLIS = 10_000;
const UNCLAIMED_MAX = 100;
const UNANSWERED =
  'the broker ended the connection before it answered, as brokers do to a certificate or a client ' +
  'id that they do not know';
const REASON_CHARS_MAX = 512;
const DISCONNECT_MILLIS = 1_000;

export class Session implements Transport, Subscriptions {
  readonly #settings: SessionSettings;
  readonly #ports: SessionPorts;
  readonly #subscriptions = new Set<Subscription>();
  #listener: TransportListener | undefined;
  #client: MqttClient | undefined;
  #isUp = false;
  #upAt = 0;
  /** Why this side ended the present connection. */
  #endReason: string | undefined;
  /** Its publications without an answer, with their topics; a call says that they are lost. */
  readonly #unanswered = new Map<() => void, string>();
  /** What arrived on it for nobody yet. */
  #unclaimed: Arrival[] = [];
  #isClosed = false;
  /** Connections that failed one after the other. */
  #failures = 0;
  /** Connections that the broker ended before it had said a word, one after the other. */
  #silentDisconnects = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(settings: SessionSettings, ports: SessionPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Begins to connect, and goes on until `close`. */
  start(listener: TransportListener): void {
    this.#listener = listener;
    this.#connect();
  }

  publish(publication: Publication): Promise<PublishOutcome> {
    const client = this.#client;
    if (client === undefined || !this.#isUp) return Promise.resolve({ kind: 'lost' });
    return new Promise((resolve) => {
      const { topic, payload, qos } = publication;
      const timeout = this.#ports.timers.after(this.#settings.pubackMillis, () => {
        this.#end(client, 'the broker did not acknowledge a PUBLISH in time');
      });
      const answer = (outcome: PublishOutcome) => {
        timeout();
        this.#unanswered.delete(lose);
        resolve(outcome);
      };
      const lose = () => answer({ kind: 'lost' });
      this.#unanswered.set(lose, topic);
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      client.publish(topic, bytes, { qos }, (error) => {
        if (!error) return answer({ kind: 'acknowledged' });
        const reasonCode = 'code' in error ? Number(error.code) : Number.NaN;
        answer(reasonCode >= 0x80 ? { kind: 'refused', reasonCode } : { kind: 'lost' });
      });
    });
  }

  subscribe(subscription: Subscription): () => Promise<void> {
    this.#subscriptions.add(subscription);
    const client = this.#client;
    if (client !== undefined && this.#isUp) void this.#request(client, subscription);
    if (client !== undefined) {
      const isLeft = (arrival: Arrival) => !this.#hand(client, arrival, [subscription]);
      this.#unclaimed = this.#unclaimed.filter(isLeft);
    }
    return async () => {
      if (!this.#subscriptions.delete(subscription)) return;
      const isUsed = [...this.#subscriptions].some(({ filter }) => filter === subscription.filter);
      if (isUsed || this.#client === undefined || !this.#isUp) return;
      await this.#client.unsubscribeAsync(subscription.filter).catch(() => {});
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    const client = this.#client;
    if (client === undefined) return;
    // MQTT.js would wait for PUBACKs before its DISCONNECT; what they say is on disk already.
    if (this.#isUp) await this.#disconnect(client);
    await client.endAsync(true);
  }

  #connect(): void {
    const { url, deviceId, mqttVersion, persistentSession, sessionExpirySeconds } = this.#settings;
    const isKept = mqttVersion === '5' && persistentSession;
    const client = mqtt.connect(url, {
      ...this.#settings.client,
      clientId: deviceId,
      protocolVersion: mqttVersion === '5' ? 5 : 4,
      clean: !persistentSession,
      ...(isKept ? { properties: { sessionExpiryInterval: sessionExpirySeconds } } : {}),
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
    });
    this.#client = client;
    this.#unclaimed = [];
    // Messages are small: with Nagle's algorithm each would wait for the broker's ACK of the last.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    let reason: string | undefined;
    client.on('error', (error) => {
      reason ??= this.#explain(error);
    });
    client.on('disconnect', ({ reasonCode }) => {
      reason ??= `the broker ended the connection with reason ${reasonCode ?? 0}`;
    });
    acknowledgeByHand(client, (arrival) => this.#arrived(client, arrival));
    let isAccepted = false;
    client.once('connect', () => {
      isAccepted = true;
      this.#silentDisconnects = 0;
      void this.#open(client);
    });
    client.once('close', () => {
      if (!isAccepted && reason === undefined && this.#endReason === undefined)
        this.#endedSilently();
      this.#closed(reason ?? this.#endReason ?? (isAccepted ? 'the connection ended' : UNANSWERED));
    });
  }

  /** Subscribes; sending begins when the receipts are granted. */
  async #open(client: MqttClient): Promise<void> {
    const filter = ownTopic(this.#settings.deviceId, 'receipts');
    // MQTT.js itself would wait for ever, and nothing is sent before the answer.
    const timeout = this.#ports.timers.after(this.#settings.pubackMillis, () => {
      this.#end(client, 'the broker did not answer the subscription to receipts in time');
    });
    try {
      await client.subscribeAsync(filter, { qos: 1 }).finally(timeout);
    } catch (error) {
      if (isRefusedSubscription(error)) {
        this.#ports.emit('refused', new SubscriptionRefusedError(filter, error));
      }
      this.#end(client, 'the subscription to receipts was not granted');
      return;
    }
    if (client !== this.#client || !client.connected) return;
    this.#isUp = true;
    this.#upAt = this.#ports.timers.now();
    for (const subscription of this.#subscriptions) void this.#request(client, subscription);
    this.#ports.emit('connected');
    this.#listener?.up();
  }

  async #request(client: MqttClient, subscription: Subscription): Promise<void> {
    const { filter, qos } = subscription;
    try {
      await client.subscribeAsync(filter, { qos });
      subscription.answered?.('granted');
    } catch (error) {
      // Otherwise the connection is over, and the next one asks again.
      if (!isRefusedSubscription(error)) return;
      subscription.answered?.('refused');
      this.#ports.emit('refused', new SubscriptionRefusedError(filter, error));
    }
  }

  #closed(reason: string): void {
    const { timers, random, emit } = this.#ports;
    const lasted = this.#isUp ? timers.now() - this.#upAt : 0;
    const wasUp = this.#isUp;
    const hint = this.#endReason === undefined ? this.#hint() : '';
    this.#isUp = false;
    this.#client = undefined;
    this.#endReason = undefined;
    this.#unclaimed = [];
    for (const lose of [...this.#unanswered.keys()]) lose();
    if (wasUp) this.#listener?.down();
    if (this.#isClosed) return;
    // A broker that lets a device in only to throw it out again is left alone for longer each time.
    this.#failures = lasted > STEADY_MILLIS ? 1 : this.#failures + 1;
    const retryMillis = waitMillis(this.#settings.reconnect, this.#failures, random);
    this.#cancelRetry = timers.after(retryMillis, () => this.#connect());
    emit('disconnected', { reason: printable(reason + hint, REASON_CHARS_MAX), retryMillis });
  }

  /** Brokers do not say which PUBLISH they ended a connection for; it is one of these. */
  #hint(): string {
    const [topic] = this.#unanswered.values();
    if (topic === undefined) return '';
    return (
      `; ${this.#unanswered.size} PUBLISH had no PUBACK, the first on ${topic}: a broker ends the ` +
      'connection where the policy does not allow a topic'
    );
  }

  /** Once it may be a broker that is stopped; twice, it does not want this device. */
  #endedSilently(): void {
    this.#silentDisconnects++;
    if (this.#silentDisconnects === 2)
      this.#ports.emit('refused', new ConnectionRefusedError(UNANSWERED));
  }

  /** Tells a refusal, and puts any error into words. */
  #explain(error: Error): string {
    const refusal = refusalOf(error);
    if (refusal !== undefined) this.#ports.emit('refused', refusal);
    return printable(refusal?.message ?? error.message, REASON_CHARS_MAX);
  }

  #end(client: MqttClient, reason: string): void {
    if (client !== this.#client) return;
    this.#endReason ??= reason;
    client.end(true);
  }

  #disconnect(client: MqttClient): Promise<void> {
    return new Promise((resolve) => {
      const timeout = this.#ports.timers.after(DISCONNECT_MILLIS, resolve);
      client.once('close', () => {
        timeout();
        resolve();
      });
      disconnectAtOnce(client);
    });
  }

  #arrived(client: MqttClient, arrival: Arrival): void {
    const { inbound, hold } = arrival;
    if (inbound.topic === ownTopic(this.#settings.deviceId, 'receipts')) {
      const acknowledge = hold();
      this.#listener?.receipts(inbound.payload);
      acknowledge();
      return;
    }
    if (this.#hand(client, arrival, [...this.#subscriptions])) return;
    // A persistent session delivers before anybody has asked: it waits for who asks later, with no
    // place among the PUBACKs, which it would hold up.
    if (this.#unclaimed.length < UNCLAIMED_MAX) this.#unclaimed.push(arrival);
  }

  /** Gives it to every subscription that matches; false when none does. */
  #hand(client: MqttClient, arrival: Arrival, subscriptions: readonly Subscription[]): boolean {
    const { inbound, hold } = arrival;
    const matching = subscriptions.filter(({ filter }) => topicMatches(filter, inbound.topic));
    if (matching.length === 0) return false;
    const acknowledge = hold();
    Promise.all(matching.map((subscription) => subscription.take(inbound))).then(
      acknowledge,
      () => {
        // Only a session that is kept has a second delivery.
        if (this.#settings.persistentSession) {
          this.#end(client, 'a receiver did not take a message, so it is asked for again');
        }
      },
    );
    return true;
  }
}

/** Whether the broker said no; otherwise the connection ended before it said anything. */
function isRefusedSubscription(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Subscribe error');
}
