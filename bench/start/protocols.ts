/** Table "start": the protocol code of the SDK in the ingest bundle. Pure. */
import type { Metafile } from 'esbuild';
import type { Table } from '../harness/table.ts';

interface Protocol {
  readonly title: string;
  readonly path: RegExp;
  /** When it runs. */
  readonly runs: string;
}

const NEVER = 'never';

/** The first that has a file counts it. */
const PROTOCOLS: readonly Protocol[] = [
  { title: 'CBOR', path: /\/cbor\/|\/Cbor/, runs: NEVER },
  { title: 'XML', path: /\/xml\/|xml-|\/Xml/, runs: NEVER },
  { title: 'Query', path: /\/query\//, runs: NEVER },
  { title: 'event streams', path: /event-?streams?/i, runs: NEVER },
  {
    title: 'endpoint discovery and its cache',
    path: /endpoint-discovery|endpoint-cache|node_modules\/(mnemonist|obliterator)\//,
    runs: 'its configuration when a client is made; it is off',
  },
  {
    title: 'profile files',
    path: /shared-ini-file-loader/,
    runs: 'when a client is made: settings that the environment does not have',
  },
  {
    title: "the Region by EC2's metadata",
    path: /getInstanceMetadataRegion/,
    runs: `${NEVER} on Lambda, which sets AWS_REGION`,
  },
  {
    title: 'JSON RPC',
    path: /\/protocols\/json\/AwsJson(?:Rpc|1_)|\/RpcProtocol|dynamodb-codec/,
    runs: 'each write',
  },
  {
    title: 'REST JSON',
    path: /AwsRestJson|HttpBinding/,
    runs: 'each publication',
  },
  {
    title: 'JSON and schemas, for both',
    path: /\/submodules\/(?:protocols|schema|serde)\//,
    runs: 'each request',
  },
];

export function protocolTable({ outputs }: Metafile): Table {
  const sums = new Map<Protocol, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      if (!/node_modules\//.test(path)) continue;
      const found = PROTOCOLS.find((one) => one.path.test(path));
      if (found !== undefined) sums.set(found, (sums.get(found) ?? 0) + bytesInOutput);
    }
  }
  return {
    name: 'start',
    title: "The SDK's protocol code in the ingest bundle",
    columns: ['code', 'bytes', 'runs'],
    rows: PROTOCOLS.map((one) => [
      one.title,
      (sums.get(one) ?? 0).toLocaleString('en-US'),
      one.runs,
    ]),
    notes: [
      'Bytes in the bundle as deployed; 0 is what the bundler has left out. What event streams and endpoint discovery cost at a start stands in the table of the options.',
    ],
    goals: [],
  };
}
