/**
 * Receives what the bridge has booked, each message once, also after a restart of this program and
 * over repeated deliveries. It adds up a total per account in totals.json, and writes the ids beside
 * it in the same step, so a crash at any moment neither loses nor repeats an amount.
 *
 *     node --import tsx examples/4-receive.ts [url] [folder]
 *
 * The url is that of a broker which lets this client subscribe to `booked/#`. The broker of the local
 * cloud gives every client the rights of a device alone, so begin with one of your own beside it:
 *
 *     mosquitto -p 1884
 *     npm start -- --broker mqtt://127.0.0.1:1884
 *
 * Against AWS IoT Core the certificate needs a policy of its own: device/RECEIVER.md.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type ReceivedMessage } from '../device/index.ts';

const [url = 'mqtt://127.0.0.1:1884', folder = './backend'] = process.argv.slice(2);
const totalsFile = join(folder, 'totals.json');

/** What this program is for. A database would do the same in one transaction. */
interface Totals {
  /** kWh by account, in thousandths, so that no float adds them up. */
  readonly kWh: Readonly<Record<string, number>>;
  readonly ids: readonly string[];
}

function readTotals(): Totals {
  try {
    return JSON.parse(readFileSync(totalsFile, 'utf8')) as Totals;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { kWh: {}, ids: [] };
    }
    throw error;
  }
}

/** The new file takes the old one's place in one step, and is on the disk before. */
function writeTotals(totals: Totals): void {
  const file = openSync(`${totalsFile}.new`, 'w');
  writeSync(file, JSON.stringify(totals));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${totalsFile}.new`, totalsFile);
}

function thousandths(digits: string): number {
  const [, whole = '', part = ''] = /^(\d{1,9})(?:\.(\d{1,3}))?$/.exec(digits) ?? [];
  if (whole === '') throw new Error(`${digits} is no amount of up to three decimals`);
  return Number(whole) * 1_000 + Number(part.padEnd(3, '0'));
}

function book({ id, forward }: ReceivedMessage): void {
  const { account, kWh } = forward?.body ?? {};
  if (id === undefined || typeof account !== 'string') throw new Error('this is no charge');
  const totals = readTotals();
  const total = (totals.kWh[account] ?? 0) + thousandths(String(kWh));
  writeTotals({ kWh: { ...totals.kWh, [account]: total }, ids: [...totals.ids, id] });
  process.stdout.write(`${JSON.stringify({ id, account, total: total / 1_000 })}\n`);
}

const backend = await connect({
  url,
  deviceId: 'backend',
  outbox: join(folder, 'store'),
  routes: {},
  // The broker keeps what is forwarded while this program is away.
  persistentSession: true,
  on: { refused: (error) => process.stderr.write(`${error.message}\n`) },
});

const receiver = backend.receive('booked/+/charges', book, {
  order: 'with-effect',
  seen: { has: async (id) => readTotals().ids.includes(id) },
  concurrency: 1,
  onEvent: (event) => {
    if (event.kind === 'copy') process.stdout.write('a copy, not booked again\n');
    if (event.kind === 'failed') process.stderr.write(`kept aside: ${event.failed.detail}\n`);
  },
});
await receiver.ready;
process.stdout.write('receiving booked/+/charges; end with Ctrl-C\n');
process.once('SIGINT', () => void backend.close());
process.once('SIGTERM', () => void backend.close());
