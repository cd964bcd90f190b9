import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ID_BYTES_MAX,
  MQTT_PAYLOAD_BYTES_MAX,
  RECEIPTS_BYTES_MAX,
} from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import type { MessageId } from '../../../core/message/id.ts';
import {
  bookedReceipt,
  type Receipt,
  receiptPayloads,
  rejectedReceipt,
} from '../../../core/wire/receipts.ts';
import { ownTopic } from '../../../core/wire/topics.ts';

const HASH = 'a'.repeat(64);
/** docs/protocol.md, the sender's ninth rule. */
const UNRECEIPTED_MAX = 100;
const bookedAt = epochMillis(1_795_217_651_000);
const text = (id: string): MessageId => ({ kind: 'text', text: id });

function accepted(id: MessageId): Receipt {
  return bookedReceipt({ id, bodyHash: HASH }, { kind: 'accepted', bookedAt });
}

function rejected(detail: string, id?: MessageId, fields?: readonly string[]): Receipt {
  return rejectedReceipt(
    { reason: 'conflict', detail, bodyHash: HASH, device: 'd', id, answerTo: 'd' },
    fields,
  );
}

describe('a receipt', () => {
  it('says what the protocol says', () => {
    expect(ownTopic('dev-1', 'receipts')).toBe('tollbridge/dev-1/receipts');
    const [payload] = receiptPayloads('charges', [accepted(text('c-1'))]);
    expect(JSON.parse(payload ?? '')).toEqual({
      v: 1,
      route: 'charges',
      receipts: [{ id: 'c-1', bodyHash: HASH, outcome: 'accepted', bookedAt }],
    });
  });

  it('calls a resumed booking accepted, and a copy a duplicate', () => {
    const message = { id: text('c-1'), bodyHash: HASH };
    expect(bookedReceipt(message, { kind: 'resumed', bookedAt }).outcome).toBe('accepted');
    expect(bookedReceipt(message, { kind: 'duplicate', bookedAt })).toMatchObject({
      outcome: 'duplicate',
      bookedAt,
    });
  });

  it('carries an integer id with every digit and a string as a string', () => {
    const [payload] = receiptPayloads('charges', [
      accepted({ kind: 'integer', digits: '9007199254740993' }),
      accepted(text('1')),
    ]);
    expect(payload).toContain('"id":9007199254740993,');
    expect(payload).toContain('"id":"1",');
  });

  it('without an id answers by the hash alone', () => {
    const [payload] = receiptPayloads('charges', [rejected('no id')]);
    const [receipt] = JSON.parse(payload ?? '').receipts;
    expect(receipt).toEqual({
      bodyHash: HASH,
      outcome: 'rejected',
      reason: 'conflict',
      detail: 'no id',
    });
  });

  it('of a conflict names the fields', () => {
    const [payload] = receiptPayloads('charges', [rejected('differs', text('c-1'), ['kWh', 'at'])]);
    expect(JSON.parse(payload ?? '').receipts[0]).toMatchObject({
      id: 'c-1',
      fields: ['kWh', 'at'],
    });
  });

  it.each(['"', '\\', '\n', '\u0000', '\u2028', '😀', '}', '","outcome":"accepted', '</script>'])(
    'is JSON with the id %j in it',
    (id) => {
      const [payload] = receiptPayloads('charges', [
        accepted(text(id)),
        rejected(id, text(id), [id]),
      ]);
      const { receipts } = JSON.parse(payload ?? '');
      expect(receipts).toHaveLength(2);
      expect(receipts[0].id).toBe(id);
      expect(receipts[1]).toMatchObject({ id, outcome: 'rejected', detail: id, fields: [id] });
    },
  );

  it('cuts a long detail, and never through a character', () => {
    const [payload] = receiptPayloads('charges', [
      rejected(`${'x'.repeat(255)}😀${'y'.repeat(9_000)}`),
    ]);
    const { detail } = JSON.parse(payload ?? '').receipts[0];
    expect(detail.length).toBe(256);
    expect(detail.isWellFormed()).toBe(true);
  });
});

describe('receipts of one device', () => {
  it('share one publication, in order', () => {
    const ids = ['a', 'b', 'c'];
    const payloads = receiptPayloads(
      'charges',
      ids.map((id) => accepted(text(id))),
    );
    expect(payloads).toHaveLength(1);
    expect(JSON.parse(payloads[0] ?? '').receipts.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  it('are parted when they would not fit IoT Core’s payload; none is lost, none repeated', () => {
    const ids = Array.from({ length: 1_500 }, (_, n) => `${n}-${'é'.repeat(100)}`);
    const payloads = receiptPayloads(
      'charges',
      ids.map((id) => accepted(text(id))),
    );
    expect(payloads.length).toBeGreaterThan(2);
    for (const payload of payloads)
      expect(Buffer.byteLength(payload)).toBeLessThan(MQTT_PAYLOAD_BYTES_MAX);
    const said = payloads.flatMap((payload) =>
      JSON.parse(payload).receipts.map(({ id }: { id: string }) => id),
    );
    expect(said).toEqual(ids);
  });

  it('that are the largest there can be still fit one publication each', () => {
    const fields = Array.from({ length: 20 }, () => '\u0000'.repeat(256));
    const [payload, ...more] = receiptPayloads('r'.repeat(40), [
      rejected('\u0000'.repeat(256), text('\u0000'.repeat(256)), fields),
    ]);
    expect(more).toHaveLength(0);
    expect(Buffer.byteLength(payload ?? '')).toBeLessThan(MQTT_PAYLOAD_BYTES_MAX);
  });

  it('fill a publication to the byte before the next one is begun', () => {
    const sizeOf = (receipt: Receipt) => {
      const [payload = ''] = receiptPayloads('r', [receipt]);
      return Buffer.byteLength(payload) - Buffer.byteLength('{"v":1,"route":"r","receipts":[]}');
    };
    const short = accepted(text('a'));
    // Each takes a comma as well.
    const room = RECEIPTS_BYTES_MAX - sizeOf(short) - 2;
    const idOf = (bytes: number) => text('x'.repeat(bytes - sizeOf(accepted(text('')))));
    expect(receiptPayloads('r', [short, accepted(idOf(room))])).toHaveLength(1);
    expect(receiptPayloads('r', [short, accepted(idOf(room + 1))])).toHaveLength(2);
  });

  it('of 700 bookings with UUIDs share one publication, and no payload holds a thousand', () => {
    const receipts = Array.from({ length: 1_000 }, () =>
      bookedReceipt({ id: text(randomUUID()), bodyHash: HASH }, { kind: 'duplicate', bookedAt }),
    );
    expect(receiptPayloads('charges', receipts.slice(0, 700))).toHaveLength(1);
    const payloads = receiptPayloads('charges', receipts);
    expect(payloads).toHaveLength(2);
    expect(Buffer.byteLength(payloads.join(''))).toBeGreaterThan(MQTT_PAYLOAD_BYTES_MAX);
  });

  it('of all that a device may have unreceipted share one, with the longest plain ids', () => {
    const ids = Array.from({ length: UNRECEIPTED_MAX }, (_, n) => `${n}`.padEnd(ID_BYTES_MAX, '-'));
    const receipts = ids.map((id) => accepted(text(id)));
    expect(receiptPayloads('charges', receipts)).toHaveLength(1);
  });

  it('are nothing when there are none', () => {
    expect(receiptPayloads('charges', [])).toEqual([]);
  });
});
