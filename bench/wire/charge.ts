/** One charge for all who are measured: a body of 150 bytes with its id. */
import { randomUUID } from 'node:crypto';

/** What a caller of the device library gives; the library puts the id in. */
export function chargeWithoutId(now = new Date()): object {
  return {
    account: 'customer-000815',
    kWh: '12.480',
    at: now.toISOString(),
    tariff: 'day',
    connector: 12,
  };
}

/** The bytes that another client sends: those of the device library, with a random id. */
export function chargeBytes(): Buffer {
  return Buffer.from(JSON.stringify({ ...chargeWithoutId(), id: randomUUID() }));
}
