/** Every table of the document, from runs made one after the other. */

import type { Row, Table } from '../../tools/document-tables.ts';
import { type Assembly, startBridge, synthesizeBridge } from './bridge.ts';
import {
  burstsOf,
  gatheredCases,
  type MqttVersion,
  nativeCases,
  singleCases,
  versions,
} from './cases.ts';
import { measureDevice } from './device-line.ts';
import type { TableName } from './document.ts';
import { isMosquittoInstalled, type QosTwoMosquitto, startMosquitto } from './mosquitto.ts';
import { measureNative } from './native-lines.ts';
import {
  connectionHead,
  connectionRow,
  gatheredHead,
  gatheredRow,
  nativeHead,
  nativeRows,
  singleHead,
  singleRow,
} from './rows.ts';
import type { Tally } from './tally.ts';

export interface MeasureOptions {
  /** Messages of each case that are sent one at a time. */
  readonly messages: number;
  /** Of each case whose receipts are gathered; an odd number. */
  readonly runs: number;
  readonly tell: (text: string) => void;
}

export type Rows = Readonly<Record<TableName, readonly Row[]>>;

export interface Measured {
  readonly tables: Readonly<Record<TableName, Table>>;
  /** Version of Mosquitto; undefined where it is not installed, and what needs it is left out. */
  readonly mosquitto: string | undefined;
}

export const NO_MOSQUITTO =
  'left out: MQTT 5 and native QoS 1 and 2, for Mosquitto is not installed (Debian: mosquitto)';

const WINDOW_SECONDS = 1;
const BURST = 10;

export async function measure(options: MeasureOptions): Promise<Measured> {
  const assembly = synthesizeBridge(WINDOW_SECONDS);
  const mosquitto = isMosquittoInstalled ? await startMosquitto() : undefined;
  if (mosquitto === undefined) options.tell(NO_MOSQUITTO);
  const measured: Rows[] = [];
  try {
    for (const version of versions) {
      measured.push(await measureVersion(version, assembly, mosquitto, options));
    }
  } finally {
    await mosquitto?.end();
    assembly.remove();
  }
  const tableOf = (head: Row, name: TableName) => ({
    head,
    rows: measured.flatMap((one) => one[name]),
  });
  return {
    mosquitto: mosquitto?.version,
    tables: {
      single: tableOf(singleHead, 'single'),
      gathered: tableOf(gatheredHead, 'gathered'),
      native: tableOf(nativeHead, 'native'),
      connection: tableOf(connectionHead, 'connection'),
    },
  };
}

/** The embedded broker speaks 3.1.1; for 5 the bridge is put behind Mosquitto. */
async function measureVersion(
  version: MqttVersion,
  assembly: Assembly,
  mosquitto: QosTwoMosquitto | undefined,
  { messages, runs, tell }: MeasureOptions,
): Promise<Rows> {
  if (version === '5' && mosquitto === undefined) {
    return { single: [], gathered: [], native: [], connection: [] };
  }
  const bridge = await startBridge(assembly, version === '5' ? mosquitto?.url : undefined);
  try {
    tell(`MQTT ${version}: one message at a time`);
    const singles = await measureSingles(version, bridge.port, messages);
    tell(`MQTT ${version}: several at once, ${runs} times`);
    const gathered = await measureGathered(version, bridge.port, runs);
    if (mosquitto === undefined) return { ...singles, gathered, native: [] };
    tell(`MQTT ${version}: native QoS 1 and 2`);
    const native = await measureNatives(version, mosquitto.port, messages);
    return { ...singles, gathered, native };
  } finally {
    await bridge.close();
  }
}

/** @param port of the broker, here and below */
export async function measureSingles(
  version: MqttVersion,
  port: number,
  messages: number,
): Promise<Pick<Rows, 'single' | 'connection'>> {
  const single: Row[] = [];
  // One row, for all of them connect alike; were they not to, each way would have its own.
  const connections = new Map<string, Row>();
  for (const each of singleCases(version)) {
    const tally = await measureDevice(port, each, messages);
    single.push(singleRow(each, tally, messages));
    const row = connectionRow(version, tally);
    connections.set(row.join(), row);
  }
  return { single, connection: [...connections.values()] };
}

async function measureGathered(
  version: MqttVersion,
  port: number,
  runs: number,
): Promise<readonly Row[]> {
  const found = gatheredCases(version).map((each) => ({ each, tallies: [] as Tally[] }));
  // Interleaved, so that a busy moment of the machine does not meet one case alone.
  for (let run = 0; run < runs; run++) {
    for (const { each, tallies } of found) {
      tallies.push(await measureDevice(port, each, burstsOf(each)));
    }
  }
  return found.map(({ each, tallies }) => gatheredRow(each, tallies, burstsOf(each) * each.atOnce));
}

export async function measureNatives(
  version: MqttVersion,
  port: number,
  messages: number,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const each of nativeCases(version)) {
    const alone = await measureNative(port, each, messages);
    const burst = await measureNative(port, { ...each, atOnce: BURST }, messages);
    rows.push(...nativeRows(each, alone, burst, { alone: messages, burst: messages * BURST }));
  }
  return rows;
}
