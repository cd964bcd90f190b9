import { METRIC } from '../../core/operations/metrics.ts';
import type { Publisher, Telemetry } from '../../core/tables/ports.ts';
import { ownTopic } from '../../core/wire/topics.ts';

/** Publishes receipts of one device. False when they were lost; nothing fails, the device asks again. */
export async function publishReceipts(
  { publisher, telemetry }: { readonly publisher: Publisher; readonly telemetry: Telemetry },
  device: string,
  payload: string,
  qos: 0 | 1,
): Promise<boolean> {
  try {
    await publisher.publish({ topic: ownTopic(device, 'receipts'), payload, qos });
    telemetry.count(METRIC.receipts, 1);
    return true;
  } catch (error) {
    telemetry.count(METRIC.receiptsLost, 1);
    telemetry.note('warn', 'receipts not published', { device, error });
    return false;
  }
}
