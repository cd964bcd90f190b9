/** A device that cannot reach its broker: memory with so many charges in its outbox. */
import { connect } from '../../device/index.ts';
import { say, taskOf } from '../harness/program.ts';

export interface DeviceTask {
  readonly outbox: string;
  /** A port on which nobody listens. */
  readonly port: number;
  readonly pending: number;
}

export interface DeviceMemory {
  readonly emptyBytes: number;
  readonly pendingBytes: number;
  readonly pending: number;
}

/** Kept together, so that many share one flush of the disk. */
const TOGETHER = 500;

const task = taskOf<DeviceTask>();
const device = await connect({
  url: `mqtt://127.0.0.1:${task.port}`,
  deviceId: 'meter-17',
  outbox: task.outbox,
  routes: { charges: { topic: 'billing/meter-17/charges', idField: 'id' } },
});
device.on('error', () => {});
const emptyBytes = process.memoryUsage.rss();
for (let kept = 0; kept < task.pending; kept += TOGETHER) {
  const batch = Array.from({ length: Math.min(TOGETHER, task.pending - kept) }, keepOne);
  await Promise.all(batch);
}
await say({
  emptyBytes,
  pendingBytes: process.memoryUsage.rss(),
  pending: device.stats().messages,
} satisfies DeviceMemory);
process.exit(0);

async function keepOne(): Promise<void> {
  const at = new Date().toISOString();
  const body = { account: 'customer-000815', kWh: '12.480', at, tariff: 'day', connector: 12 };
  const { receipt } = await device.enqueue('charges', body);
  // Nobody answers; the process ends with all of them unanswered.
  receipt.catch(() => {});
}
