/** Finds what the last start left in the store, and makes the outbox of it. */
import { printable, quoted } from '../../core/base/printable.ts';
import { InvalidOptionsError, StoreFailedError } from '../errors.ts';
import type { Store } from '../ports.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import {
  type Area,
  type Counter,
  LAYOUT_VERSION,
  type MessageRecord,
  put,
  type RejectedRecord,
  readCounter,
  readMessage,
  readOwner,
  readRejected,
} from './records.ts';

const OWNER = 'outbox';

/**
 * Only what is small is read; bodies stay where they are.
 * @throws InvalidOptionsError when the outbox is another device's
 * @throws StoreFailedError when a record is none: nothing is sent then, and nothing is deleted
 */
export async function openOutbox(deviceId: string, options: OutboxOptions): Promise<Outbox> {
  const { store } = options;
  await assertOwner(store, deviceId);
  const messages: MessageRecord[] = [];
  const rejected: RejectedRecord[] = [];
  const counters = new Map<string, Counter>();
  const shared = new Map<string, string>();
  for await (const [, record] of records(store, 'message', readMessage)) {
    // One copy of a text that thousands have.
    messages.push({
      ...record,
      route: once(shared, record.route),
      topic: once(shared, record.topic),
    });
  }
  for await (const [, record] of records(store, 'rejected', readRejected)) rejected.push(record);
  for await (const [route, counter] of records(store, 'counter', readCounter)) {
    counters.set(route, counter);
  }
  return new Outbox(options, { messages, rejected, counters });
}

async function assertOwner(store: Store, deviceId: string): Promise<void> {
  const bytes = await store.read('owner', OWNER);
  if (bytes === undefined) {
    await store.write([put('owner', OWNER, { layout: LAYOUT_VERSION, device: deviceId })]);
    return;
  }
  const owner = readOwner(bytes);
  if (owner === undefined) throw unreadable(store, 'owner', OWNER);
  if (owner.layout !== LAYOUT_VERSION) {
    throw new InvalidOptionsError([
      `the outbox in ${store.folder} has layout ${owner.layout}, and this library reads ` +
        `${LAYOUT_VERSION}; use the version of the library that wrote it to drain it`,
    ]);
  }
  if (owner.device !== deviceId) {
    throw new InvalidOptionsError([
      `the outbox in ${store.folder} belongs to the device ${quoted(owner.device, 128)}, whose ` +
        'messages nobody else may send; give this device a folder of its own',
    ]);
  }
}

async function* records<T>(
  store: Store,
  area: Area,
  read: (bytes: Uint8Array) => T | undefined,
): AsyncGenerator<readonly [key: string, record: T]> {
  for await (const { key, value } of store.entries(area)) {
    const record = read(value);
    if (record === undefined) throw unreadable(store, area, key);
    yield [key, record];
  }
}

function unreadable(store: Store, area: Area, key: string): StoreFailedError {
  const what = `the record ${area}/${printable(key, 64)} cannot be read by this library`;
  return new StoreFailedError(store.folder, new Error(what));
}

function once(shared: Map<string, string>, text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  shared.set(text, text);
  return text;
}
