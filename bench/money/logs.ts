/** What the function logs, in bytes: from its real telemetry, and the lines that Lambda adds. */
import { sampleId } from '../../cli/cost/sample.ts';
import { createTelemetry } from '../../lambda/adapters/telemetry.ts';
import { bridgeOn } from '../units/bridge.ts';
import { queueEvent } from '../units/deliveries.ts';
import { clientOf, createTables, SHAPES } from '../units/tables.ts';

/** What AWS counts for an entry besides its bytes (CloudWatch Logs API, PutLogEvents). */
const ENTRY_BYTES = 26;

/** AWS Lambda, "Log formats": the lines of an invocation that is warm. */
const RUNTIME_LINES = [
  `START RequestId: ${sampleId(0)} Version: $LATEST`,
  `END RequestId: ${sampleId(0)}`,
  `REPORT RequestId: ${sampleId(0)}\tDuration: 24.68 ms\tBilled Duration: 25 ms\tMemory Size: 512 MB\tMax Memory Used: 118 MB\t`,
];

export interface LoggedBytes {
  /** Of an invocation whose deliveries all are booked, receipts and forwards among what it counts. */
  readonly invocation: number;
  /** What each copy in it adds. */
  readonly copy: number;
}

/** @param engineUrl with no table of these names yet */
export async function measureLogs(engineUrl: string): Promise<LoggedBytes> {
  const client = clientOf(engineUrl);
  try {
    await createTables(engineUrl, {
      'logged-ledger': SHAPES.ledger,
      'logged-quarantine': SHAPES.quarantine,
    });
    const handle = bridgeOn({
      client,
      ledger: 'logged-ledger',
      quarantine: 'logged-quarantine',
      publisher: { publish: async () => {} },
      telemetry: telemetryOf('charges'),
    });
    const first = { id: sampleId(1), bytes: 300, deliveryId: sampleId(101) };
    const fresh = { id: sampleId(2), bytes: 300, deliveryId: sampleId(102) };
    const copies = [103, 104].map((n) => ({ ...first, deliveryId: sampleId(n) }));
    const booking = bytesOf(await logged(() => handle(queueEvent([first]))));
    const [one, two] = [copies.slice(0, 1), copies];
    const withOne = bytesOf(await logged(() => handle(queueEvent([fresh, ...one]))));
    const more = { ...fresh, id: sampleId(3), deliveryId: sampleId(105) };
    const withTwo = bytesOf(await logged(() => handle(queueEvent([more, ...two]))));
    return { invocation: booking + bytesOf(RUNTIME_LINES), copy: withTwo - withOne };
  } finally {
    client.destroy();
  }
}

/** With the environment of the template, which names the service. */
function telemetryOf(route: string) {
  process.env.POWERTOOLS_SERVICE_NAME ??= 'tollbridge';
  return createTelemetry(route);
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + ENTRY_BYTES, 0);
}

/** The lines that are written to standard output meanwhile; none of them is shown. */
async function logged(work: () => Promise<void>): Promise<readonly string[]> {
  const write = process.stdout.write;
  let text = '';
  process.stdout.write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  try {
    await work();
  } finally {
    process.stdout.write = write;
  }
  return text.split('\n').filter((line) => line !== '');
}
