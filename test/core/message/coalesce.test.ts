import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import {
  coalesceDuplicates,
  groupByKey,
  type ReadDelivery,
} from '../../../core/message/coalesce.ts';
import { readMessage } from '../../../core/message/message.ts';
import { BODY, bodyWith, deliveryOf, NOW, routeOf } from '../../../tools/handlers/samples.ts';

function readOf(ref: string, body: string, device = 'dev-1', receivedAt = NOW): ReadDelivery {
  const topic = `billing/${device}/charges`;
  const delivery = deliveryOf(body, {
    deliveryId: `delivery-${ref}`,
    topic,
    clientId: device,
    receivedAt,
  });
  return { ref, delivery, reading: readMessage(routeOf(), delivery) };
}

function refsOf(...reads: readonly ReadDelivery[]): readonly (readonly string[])[] {
  return coalesceDuplicates(reads).map(({ refs }) => refs);
}

describe('copies in a batch', () => {
  it('become one: the first is written, and none of their ids is forgotten', () => {
    const folds = coalesceDuplicates([
      readOf('1', BODY),
      readOf('2', bodyWith({ id: '"c-2"' })),
      readOf('3', BODY),
    ]);
    expect(folds.map(({ refs }) => refs)).toEqual([['1', '3'], ['2']]);
    expect(folds[0]).toMatchObject({
      delivery: { deliveryId: 'delivery-1' },
      deliveryIds: ['delivery-1', 'delivery-3'],
    });
  });

  it('are not those of another device', () => {
    expect(refsOf(readOf('1', BODY), readOf('2', BODY, 'dev-2'))).toEqual([['1'], ['2']]);
  });

  it('are not those with another body: that is a conflict, and the ledger says so', () => {
    expect(refsOf(readOf('1', BODY), readOf('2', `${BODY} `))).toEqual([['1'], ['2']]);
  });

  it('are not the number 1 and the string "1"', () => {
    expect(
      refsOf(readOf('1', bodyWith({ id: '1' })), readOf('2', bodyWith({ id: '"1"' }))),
    ).toEqual([['1'], ['2']]);
  });

  it('are not those whose key and fingerprint only look alike when one follows the other', () => {
    const read = readOf('1', BODY);
    const reads = [
      ['r#a', 'bc', 'd'],
      ['r#ab', 'c', 'd'],
      ['r#a', 'b', 'cd'],
      ['r#a', '', 'bcd'],
      ['r#a', '1 b', 'cd'],
      ['r#a', '1', ' bcd'],
    ].map(([pk = '', id = '', fingerprint = ''], n): ReadDelivery => {
      if (read.reading.kind !== 'message') throw new Error('the sample is no message');
      const message = { ...read.reading.message, key: { pk, id }, fingerprint };
      return { ...read, ref: String(n), reading: { kind: 'message', message } };
    });
    expect(refsOf(...reads)).toEqual(reads.map(({ ref }) => [ref]));
    // As a batch may call a record that cannot be read.
    const rejected = readOf('3 2 r#abcd', 'x');
    expect(refsOf(...reads.slice(0, 1), rejected)).toHaveLength(2);
  });

  it('that cannot be booked, or not any more, stay apart', () => {
    expect(refsOf(readOf('1', 'x'), readOf('2', 'x'))).toEqual([['1'], ['2']]);
    const late = epochMillis(NOW + 400 * 86_400_000);
    expect(refsOf(readOf('1', BODY), readOf('2', BODY, 'dev-1', late))).toEqual([['1'], ['2']]);
  });

  it('are found in a batch of 10,000 without slowing down', () => {
    const reads = Array.from({ length: 10_000 }, (_, n) => readOf(String(n), BODY));
    const startedAt = performance.now();
    expect(refsOf(...reads)).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('deliveries that are each settled alone', () => {
  it('are not folded, however much alike they are', () => {
    const reads = [readOf('1', BODY), readOf('2', BODY)];
    expect(coalesceDuplicates(reads, true).map(({ refs }) => refs)).toEqual([['1'], ['2']]);
  });
});

describe('deliveries of one key', () => {
  const turnsOf = (...reads: readonly ReadDelivery[]) =>
    groupByKey(coalesceDuplicates(reads, true)).map((turn) => turn.flatMap(({ refs }) => refs));
  const at = (millis: number) => epochMillis(NOW + millis);

  it('take turns in order of arrival, and those of an equal time in order of the batch', () => {
    expect(
      turnsOf(
        readOf('1', BODY, 'dev-1', at(2)),
        readOf('2', bodyWith({ id: '"c-2"' })),
        readOf('3', `${BODY} `, 'dev-1', at(1)),
        readOf('4', BODY, 'dev-1', at(1)),
      ),
    ).toEqual([['3', '4', '1'], ['2']]);
  });

  it('wait for none of another device or id, and for none that is rejected', () => {
    expect(
      turnsOf(readOf('1', BODY), readOf('2', BODY, 'dev-2'), readOf('3', 'x'), readOf('4', 'x')),
    ).toEqual([['1'], ['2'], ['3'], ['4']]);
  });
});
