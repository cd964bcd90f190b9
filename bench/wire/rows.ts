/** The rows of the tables, made of what was counted. Pure. */
import type { Packet } from 'mqtt-packet';
import type { Row } from '../../tools/document-tables.ts';
import type { DeviceCase } from './device-line.ts';
import type { NativeCase, NativeLines } from './native-lines.ts';
import {
  bytesOf,
  exchangeOf,
  type Part,
  type Purpose,
  packetsOf,
  publicationsOf,
  type Tally,
} from './tally.ts';

export const singleHead: Row = [
  'MQTT',
  'handshake',
  'PUBLISH at',
  'receipts at',
  'Basic Ingest',
  'packets',
  'which',
  'bytes ↑',
  'bytes ↓',
  'bytes',
];

export function singleRow(each: DeviceCase, tally: Tally, messages: number): Row {
  return [
    each.mqtt,
    each.handshake,
    `QoS ${each.qos}`,
    `QoS ${each.receiptsQos}`,
    each.basicIngest ? 'yes' : 'no',
    ...exchangeCells(exchangeOf(tally), messages),
  ];
}

export const gatheredHead: Row = [
  'MQTT',
  'at once',
  'window',
  'handshake',
  'PUBLISH at',
  'k',
  'm',
  'packets',
  'computed',
  'bytes',
];

/** @param runs of the same case, an odd number of them */
export function gatheredRow(each: DeviceCase, runs: readonly Tally[], messages: number): Row {
  const gathered = runs.map(gatheredOf);
  const released = runs.map((run) => run.released / publicationsOf(run, 'release'));
  const exchanges = runs.map(exchangeOf);
  const isFull = each.handshake === 'full';
  const computed =
    1 + each.qos + 1 / median(gathered) + (isFull ? PACKETS_OF_RELEASE / median(released) : 0);
  return [
    each.mqtt,
    String(each.atOnce),
    each.hasWindow ? '1 s' : 'none',
    each.handshake,
    `QoS ${each.qos}`,
    spread(gathered),
    isFull ? spread(released) : '–',
    spread(exchanges.map((parts) => packetsOf(parts) / messages)),
    figure(computed),
    spread(exchanges.map((parts) => bytesOf(parts) / messages)),
  ];
}

/** The release at QoS 1, its PUBACK, and `completed` at QoS 0. */
const PACKETS_OF_RELEASE = 3;

/** Receipts in a publication, on average: the k that came about. */
export function gatheredOf(tally: Tally): number {
  return tally.receipts / publicationsOf(tally, 'receipts');
}

export const nativeHead: Row = [
  'MQTT',
  'QoS',
  'line',
  'packets',
  'which',
  'bytes ↑',
  'bytes ↓',
  'bytes',
  'packets, 10 at once',
];

/** Both lines, and the way end to end, which is both of them. */
export function nativeRows(
  each: NativeCase,
  alone: NativeLines,
  burst: NativeLines,
  messages: { readonly alone: number; readonly burst: number },
): readonly Row[] {
  const rowOf = (line: string, partsOf: (lines: NativeLines) => readonly Part[]) => {
    const [packets = '', which = '', ...bytes] = exchangeCells(partsOf(alone), messages.alone);
    const shown = line === BOTH ? 'all of these' : which;
    const inBurst = figure(packetsOf(partsOf(burst)) / messages.burst);
    return [each.mqtt, String(each.qos), line, packets, shown, ...bytes, inBurst];
  };
  const up = ({ publisher }: NativeLines) => exchangeOf(publisher);
  const down = ({ subscriber }: NativeLines) => exchangeOf(subscriber);
  return [
    rowOf('device – broker', up),
    rowOf('broker – subscriber', down),
    rowOf(BOTH, (lines) => [...up(lines), ...down(lines)]),
  ];
}

const BOTH = 'both, end to end';

export const connectionHead: Row = ['MQTT', 'packets', 'which', 'bytes ↑', 'bytes ↓', 'bytes'];

/** What a connection takes, however many messages follow. */
export function connectionRow(mqtt: string, { parts }: Tally): Row {
  return [
    mqtt,
    ...exchangeCells(
      parts.filter(({ purpose }) => purpose === 'connection'),
      1,
    ),
  ];
}

function exchangeCells(parts: readonly Part[], messages: number): Row {
  return [
    figure(packetsOf(parts) / messages),
    whichOf(parts, messages),
    figure(bytesOf(parts, 'up') / messages),
    figure(bytesOf(parts, 'down') / messages),
    figure(bytesOf(parts) / messages),
  ];
}

const ORDER: readonly Purpose[] = ['message', 'receipts', 'release', 'completed', 'connection'];
const STEPS: readonly Packet['cmd'][] = ['publish', 'puback', 'pubrec', 'pubrel', 'pubcomp'];

/** `PUBLISH ↑, PUBACK ↓, receipt ↓`, with how many of each for a message where that is not one. */
function whichOf(parts: readonly Part[], messages: number): string {
  const place = ({ purpose, cmd }: Part) =>
    ORDER.indexOf(purpose) * STEPS.length + Math.max(0, STEPS.indexOf(cmd));
  return [...parts]
    .sort((one, other) => place(one) - place(other))
    .map((part) => {
      const count = part.packets / messages;
      const times = count === 1 ? '' : `${figure(count)} × `;
      return `${times}${nameOf(part)} ${part.direction === 'up' ? '↑' : '↓'}`;
    })
    .join(', ');
}

function nameOf({ purpose, cmd }: Part): string {
  if (cmd !== 'publish' || purpose === 'message') return cmd.toUpperCase();
  return purpose === 'receipts' ? 'receipt' : purpose;
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One figure where all agree, else least / median / most. */
function spread(figures: readonly number[]): string {
  const texts = [Math.min(...figures), median(figures), Math.max(...figures)].map(figure);
  return new Set(texts).size === 1 ? (texts[0] ?? '') : texts.join(' / ');
}

/** Up to three decimals. */
function figure(value: number): string {
  return String(Number(value.toFixed(3)));
}
