/** The table `truth`: what is booked when copies arrive and the consumer is killed at random. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { onDynamoDbLocal } from '../dynamodb-local/index.ts';
import { bundleSubscriber } from '../end-to-end/contenders.ts';
import { startLoad } from '../end-to-end/load.ts';
import { synthesizeBench } from '../harness/assembly.ts';
import { endProgram, nextFrom, startProgram } from '../harness/program.ts';
import type { Bench, BenchOptions, Table } from '../harness/table.ts';
import { inWorkshop, type Place } from '../harness/workshop.ts';
import { type PeerName, peerTitles } from '../peers/bundles.ts';
import { isMosquittoInstalled, NO_MOSQUITTO, startMosquitto } from '../peers/mosquitto.ts';
import type { SubscriberTask } from '../peers/subscriber-program.ts';
import type { Effect } from './effects.ts';
import { reckon } from './reckon.ts';
import {
  killAtRandom,
  type OnCloud,
  type Outcome,
  type Plan,
  throughCloud,
} from './through-cloud.ts';

const KILLS = 50;
const COPIES = 0.2;
const DEVICES = 20;

export const bench: Bench = (options) =>
  inWorkshop(async (workshop) => {
    const plan = planOf(options);
    const assembly = synthesizeBench(workshop);
    const outcomes: Outcome[] = [];
    const onCloud = async (title: string, peer?: PeerName) => {
      options.note(`truth: ${title}`);
      const how = { title, assembly, workshop, ...(peer !== undefined && { peer }) };
      outcomes.push(await throughCloud(how, plan));
    };
    await onCloud('the bridge');
    await onCloud(peerTitles.powertools, 'powertools');
    outcomes.push(await inTransactions({ assembly, workshop }, plan, options));
    await onCloud(peerTitles['get-put'], 'get-put');
    for (const booksWhen of ['before-pubcomp', 'before-pubrec'] as const) {
      options.note(`truth: (d) ${booksWhen}`);
      outcomes.push(await throughNative(booksWhen, workshop, plan));
    }
    return [truthTable(outcomes, plan)];
  });

/** (b) on an engine that has transactions; why not, where there is none. */
async function inTransactions(place: Place, plan: Plan, options: BenchOptions): Promise<Outcome> {
  const title = peerTitles.transaction;
  const how: OnCloud = { title: `${title}, on DynamoDB Local`, peer: 'transaction', ...place };
  const found = await onDynamoDbLocal({ kind: 'truth', how, plan }, options);
  return found.kind === 'done' ? found.result : { title, why: `not measured: ${found.why}` };
}

function planOf({ isQuick }: BenchOptions): Plan {
  const seconds = isQuick ? 6 : 20;
  const perSecond = 80;
  return {
    kills: isQuick ? 15 : KILLS,
    load: {
      devices: DEVICES,
      messages: seconds * perSecond,
      underWay: 100 * DEVICES,
      copies: COPIES,
      perSecond,
      // The devices end when nothing has come for so long; queues go on until they are empty.
      quietMillis: 2_000,
    },
  };
}

const nativeTitles: Readonly<Record<SubscriberTask['booksWhen'], string>> = {
  'before-pubcomp': '(d) native QoS 2, as MQTT.js answers by itself',
  'before-pubrec': '(d) native QoS 2, booked before PUBREC (MQTT 5)',
};

async function throughNative(
  booksWhen: SubscriberTask['booksWhen'],
  workshop: string,
  { load, kills }: Plan,
): Promise<Outcome> {
  const title = nativeTitles[booksWhen];
  if (!isMosquittoInstalled) return { title, why: NO_MOSQUITTO };
  const program = await bundleSubscriber(workshop);
  const mosquitto = await startMosquitto();
  const file = join(mkdtempSync(join(workshop, 'truth-entries-')), 'entries.db');
  const task: SubscriberTask = { port: mosquitto.port, file, booksWhen };
  const startConsumer = async () => {
    const child = startProgram(program, task);
    await nextFrom(child);
    return child;
  };
  let consumer = await startConsumer();
  const devices = await startLoad({ ...load, port: mosquitto.port, route: 'charges', qos: 2 });
  try {
    await devices.connect();
    const sending = devices.run();
    const killed = await killAtRandom(kills, async () => {
      await endProgram(consumer);
      consumer = await startConsumer();
      return true;
    });
    const { ids } = await sending;
    await settled(file);
    return { title, kills: killed, ...reckon(ids, linesIn(file)) };
  } finally {
    await devices.end();
    await endProgram(consumer);
    await mosquitto.end();
  }
}

const STILL_MILLIS = 2_000;

/** Ends when no line has been added for a while: the consumer has nothing more to take. */
async function settled(file: string): Promise<void> {
  const count = () => linesIn(file).reduce((sum, { bookings }) => sum + bookings, 0);
  for (let before = -1, now = count(); before !== now; now = count()) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, STILL_MILLIS));
  }
}

function linesIn(file: string): readonly Effect[] {
  const database = new Database(file, { readonly: true });
  try {
    const lines = database
      .prepare('SELECT id, count(*) AS bookings FROM entries GROUP BY id')
      .all();
    return lines as readonly Effect[];
  } finally {
    database.close();
  }
}

function truthTable(outcomes: readonly Outcome[], { load, kills }: Plan): Table {
  const [bridge] = outcomes;
  const isRight = bridge !== undefined && 'lost' in bridge && bridge.lost + bridge.doubled === 0;
  const got =
    bridge !== undefined && 'lost' in bridge
      ? `${bridge.lost} lost, ${bridge.doubled} doubled, ${bridge.kills} kills`
      : 'not measured';
  return {
    name: 'truth',
    title: `What is booked of ${load.messages.toLocaleString('en-US')} charges, every fifth delivery a copy, the consumer killed ${kills} times`,
    columns: ['who', 'kills', 'meant', 'booked', 'lost', 'doubled'],
    rows: outcomes.map((one) =>
      'why' in one
        ? [one.title, '–', '–', '–', one.why, '–']
        : [one.title, one.kills, one.meant, one.booked, one.lost, one.doubled].map(String),
    ),
    notes: [
      'Lost: meant by a device and in no entry, after queues and sessions were empty; the devices do not ask again, though those of the bridge would. Doubled: an entry was written anew though one had been, as seen at the store, where a killed function hides nothing; for (d), two lines of one charge.',
      'SIGKILL at random moments: a run differs from the next, and a 0 of a peer is no promise. A copy is the same bytes sent again by the device, as after a lost PUBACK: to native QoS 2 that is another message, which its books show.',
    ],
    goals: [{ goal: 'the bridge: 0 lost and 0 doubled', got, isMet: isRight }],
  };
}
