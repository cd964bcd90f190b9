/** Goal: the comparison of ledger and truth sees what it is there to see. Method: ledgers made up. */
import { describe, expect, it } from 'vitest';
import type { CloudEvent } from '../../local/contracts.ts';
import type { Row, TestCloud } from '../../tools/clouds/cloud.ts';
import { createSender, hashOf, type Message } from './clients/unreceipted.ts';
import { messagesOf, reconcile } from './reconcile.ts';

const sent = messagesOf('meter-1', 4);

function rowOf({ topic, body }: Message, device = 'meter-1'): Row {
  return { device: { S: device }, topic: { S: topic }, body: { S: body } };
}

const receipt = (message: Message, outcome = 'accepted') =>
  JSON.stringify({ receipts: [{ bodyHash: hashOf(message), outcome }] });

function bridgeOf(ledger: readonly Row[], quarantine: readonly Row[] = []): TestCloud {
  const tables: Record<string, readonly Row[]> = { Ledger: ledger, Quarantine: quarantine };
  const bridge: Pick<TestCloud, 'rows' | 'events'> & { cloud: { idle(): Promise<void> } } = {
    cloud: { idle: async () => {} },
    events: sent.messages.flatMap(deliveryOf),
    rows: async (table) => tables[table] ?? [],
  };
  return bridge as TestCloud;
}

function deliveryOf({ topic, body }: Message): readonly CloudEvent[] {
  const payload = Buffer.from(body);
  const common = { rule: 'r', clientId: undefined, output: '', traceId: '' };
  return [{ kind: 'delivery', topic, payload, ...common }];
}

const booked = sent.messages.map((message) => rowOf(message));
const heard = [{ receipts: sent.messages.map((message) => receipt(message)) }];
const clean = { meant: 4, booked: 4, lost: 0, doubled: 0, conflicts: 0, receipts: 4, untrue: 0 };

describe('the comparison of ledger and truth', () => {
  it('finds nothing where every message has a row and a receipt', async () => {
    expect(await reconcile(bridgeOf(booked), [sent], heard)).toMatchObject({
      ...clean,
      deliveries: 4,
    });
  });

  it('sees a message without a row, and that the receipt for it was not true', async () => {
    const tally = await reconcile(bridgeOf(booked.slice(1)), [sent], heard);
    expect(tally).toMatchObject({ ...clean, booked: 3, lost: 1, receipts: 3, untrue: 1 });
  });

  it('sees a serial that is booked under two ids, though every row has its own', async () => {
    const [first] = sent.messages;
    const again = (first?.body ?? '').replace(/"id":"[^"]+"/, '"id":"another"');
    const twice = [...booked, rowOf({ topic: first?.topic ?? '', body: again })];
    expect(await reconcile(bridgeOf(twice), [sent], heard)).toMatchObject({ ...clean, doubled: 1 });
  });

  it('sees a row that nobody meant, and none of other devices', async () => {
    const [stranger, other] = [messagesOf('meter-9', 1), messagesOf('meter-2', 1)].map(
      ({ messages: [message] }) => message ?? { topic: '', body: '{}' },
    );
    const rows = [...booked, rowOf(stranger ?? { topic: '', body: '{}' })];
    rows.push(rowOf(other ?? { topic: '', body: '{}' }, 'meter-2'));
    expect(await reconcile(bridgeOf(rows), [sent], heard)).toMatchObject({ ...clean, doubled: 1 });
  });

  it('sees what lies in the quarantine, and takes no refusal for a receipt', async () => {
    const [first, ...others] = sent.messages;
    if (first === undefined) throw new Error('no message');
    const receipts = [
      receipt(first, 'rejected'),
      ...others.map((one) => receipt(one, 'duplicate')),
    ];
    const tally = await reconcile(bridgeOf(booked, [rowOf(first)]), [sent], [{ receipts }]);
    expect(tally).toMatchObject({ ...clean, conflicts: 1, receipts: 3 });
  });
});

describe('a sender without an outbox', () => {
  it('holds ten messages unreceipted, and publishes again what gets no receipt', async () => {
    const { messages } = messagesOf('meter-1', 12);
    const published: Message[] = [];
    const sender = createSender(messages, (message) => published.push(message), 20);
    sender.start();
    expect(published).toEqual(messages.slice(0, 10));
    for (const message of messages.slice(1)) sender.take(receipt(message));
    expect(published).toEqual(messages);
    while (published.length === messages.length) await new Promise(setImmediate);
    expect(published.at(-1)).toBe(messages[0]);
    for (const message of messages.slice(0, 1)) sender.take(receipt(message));
    await sender.done;
  });
});
