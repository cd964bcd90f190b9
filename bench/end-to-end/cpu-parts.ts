/** Table "end-to-end": the CPU of the function's process by what it is spent on. Pure. */
import { figure, percentText } from '../harness/figures.ts';
import type { Table } from '../harness/table.ts';
import type { Profiled } from './profile.ts';
import type { SelfTime } from './self-times.ts';

interface Part {
  readonly title: string;
  readonly has: (name: string) => boolean;
}

const among = (names: readonly string[]) => (name: string) => names.includes(name);

/** The profiler's own work is no part of the function. */
const LEFT_OUT = new Set(['node:inspector']);

/** The first that has a name counts it. */
const PARTS: readonly Part[] = [
  {
    title: 'AWS SDK: signing and credentials',
    has: (name) => /signature-v4|httpAuth|credential|checksum/.test(name) && isSdk(name),
  },
  {
    title: 'AWS SDK: requests and answers to and from text',
    has: (name) => /\/(schema|protocols|serde|cbor)$|dynamodb-codec|xml/.test(name) && isSdk(name),
  },
  {
    title: 'AWS SDK: its HTTP handler',
    has: among(['@smithy/node-http-handler', '@smithy/core/transport', '@smithy/protocol-http']),
  },
  { title: 'AWS SDK: middleware, endpoints, retries, clients', has: isSdk },
  { title: 'Node.js: hashes', has: among(['node:crypto']) },
  {
    title: 'Node.js: HTTP, sockets, streams, ticks',
    has: (name) => name.startsWith('node:'),
  },
  { title: 'garbage collector', has: among(['(garbage collector)']) },
  { title: 'Powertools', has: (name) => name.startsWith('@aws-lambda-powertools/') },
  { title: 'Tollbridge: core and lambda', has: among(['core', 'lambda']) },
  {
    title: 'Tollbridge: its libraries',
    has: among(['lossless-json', 'big.js']),
  },
  { title: 'host of the local cloud', has: among(['local']) },
  { title: 'all else', has: () => true },
];

function isSdk(name: string): boolean {
  return name.startsWith('@aws-sdk/') || name.startsWith('@smithy/') || name.startsWith('@aws/');
}

export function cpuTable({ times, cpuMicros }: Profiled): Table {
  const counted = times.filter(({ name }) => !LEFT_OUT.has(name));
  const whole = sumOf(counted);
  const partOf = (name: string) => PARTS.find(({ has }) => has(name))?.title;
  const parts = PARTS.map(({ title }) => ({
    title,
    times: counted.filter(({ name }) => partOf(name) === title),
  }))
    .filter((part) => part.times.length > 0)
    .toSorted((one, other) => sumOf(other.times) - sumOf(one.times));
  const sdk = sumOf(counted.filter(({ name }) => isSdk(name)));
  const node = sumOf(counted.filter(({ name }) => name.startsWith('node:')));
  const ours = sumOf(counted.filter(({ name }) => ['core', 'lambda'].includes(name)));
  return {
    name: 'end-to-end',
    title: "Where the function's CPU goes, as delivered, 10 devices, no copies",
    columns: ['part', 'share', 'of a message, µs', 'most of it'],
    rows: parts.map((part) => {
      const share = sumOf(part.times) / whole;
      return [part.title, percentText(share), figure(share * cpuMicros), mostOf(part.times, whole)];
    }),
    notes: [
      `Self time by V8's profiler inside the function's processes in a run of its own, the bundle as deployed read through its source map, ${figure(whole / 1_000)} ms of samples. What is built into V8, such as JSON.parse, counts for its caller. The µs are the share of what the processes were charged for, ${figure(cpuMicros)} µs for each message with the profiler in it.`,
      `A message takes an UpdateItem, a forward, and its share of a publication of receipts. Of the process the SDK is ${percentText(sdk / whole)}, Node.js's own modules are ${percentText(node / whole)}, Tollbridge's own code is ${percentText(ours / whole)}.`,
    ],
    goals: [],
  };
}

const SHOWN = 4;
const SHOWN_SHARE_MIN = 0.002;

function mostOf(times: readonly SelfTime[], whole: number): string {
  return times
    .slice(0, SHOWN)
    .filter(({ micros }) => micros / whole >= SHOWN_SHARE_MIN)
    .map(({ name, micros }) => `${name} ${percentText(micros / whole)}`)
    .join(', ');
}

function sumOf(times: readonly SelfTime[]): number {
  return times.reduce((sum, { micros }) => sum + micros, 0);
}
