/**
 * Goal: what docs/retention.md says of erasing holds. Method: its figures are compared with the
 * limits, and its command is run against real tables between a booking and its copies.
 */
import { readFileSync } from 'node:fs';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEAD_LETTER_RETENTION_DAYS,
  LOG_RETENTION_DAYS,
  MESSAGE_LIFETIME_MAX_SECONDS,
  QUEUE_RETENTION_DAYS,
} from '../../core/base/limits.ts';
import { existingRowVerdict, isSameMessage } from '../../core/guarantees/verdict.ts';
import type { Ledger } from '../../core/tables/ports.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import { BODY, bodyWith, NOW, writeOf } from '../../tools/handlers/samples.ts';
import { makeDynaliteStore } from '../../tools/stores/dynalite-store.ts';

const text = readFileSync('docs/retention.md', 'utf8');

describe('docs/retention.md', () => {
  it('gives the times that the template and the functions have', () => {
    const life = MESSAGE_LIFETIME_MAX_SECONDS / 86_400;
    expect(text).toContain(`window + ${life} days`);
    expect(text).toContain(`Wait: window and ${life} days`);
    expect(text).toContain(`${QUEUE_RETENTION_DAYS} days, ${DEAD_LETTER_RETENTION_DAYS} days`);
    expect(text).toMatch(new RegExp(`logs of the functions .* ${LOG_RETENTION_DAYS} days`));
  });
});

describe('erasing a body from the ledger by the command of docs/retention.md', () => {
  let store: Awaited<ReturnType<typeof makeDynaliteStore>>;
  let ledger: Ledger;
  const first = writeOf();

  beforeAll(async () => {
    store = await makeDynaliteStore();
    ledger = createLedgerTable(store.client, store.tables.ledger);
    await ledger.book(first);
    await store.client.send(
      new UpdateItemCommand({
        TableName: store.tables.ledger,
        Key: { pk: { S: first.key.pk }, id: { S: first.key.id } },
        ConditionExpression: option('condition-expression'),
        UpdateExpression: option('update-expression'),
        ExpressionAttributeValues: JSON.parse(option('expression-attribute-values')),
      }),
    );
  });
  afterAll(() => store.close());

  it('takes the body out and leaves what makes the next copy a copy', async () => {
    const row = await ledger.find(first.key);
    expect(row?.body).toBe('{}');
    expect(row).toMatchObject({
      fingerprint: first.first.fingerprint,
      firstDeliveryId: first.first.firstDeliveryId,
      rowVersion: first.first.rowVersion,
      bookedAtMillis: first.first.bookedAtMillis,
    });
  });

  it('leaves a copy a copy, which brings nothing back', async () => {
    const result = await ledger.book(writeOf(BODY, { deliveryId: 'copy' }, NOW, 1));
    if (result.kind !== 'counted') throw new Error(`the copy was ${result.kind}`);
    expect(existingRowVerdict(result.row, ['copy'])).toMatchObject({
      kind: 'duplicate',
      bookedAt: first.first.bookedAtMillis,
    });
    expect((await ledger.find(first.key))?.body).toBe('{}');
  });

  it('leaves another body a conflict', async () => {
    const other = writeOf(bodyWith({ kWh: '99' }), { deliveryId: 'other' });
    const result = await ledger.book(other);
    if (result.kind !== 'refused') throw new Error(`the other body was ${result.kind}`);
    expect(isSameMessage(result.row, other, null)).toBe(false);
  });
});

/** The quoted value of an option in the document's command. */
function option(name: string): string {
  const [, command = ''] = /```sh erase\n([\s\S]*?)```/.exec(text) ?? [];
  const [, value] = new RegExp(`--${name} '([^']+)'`).exec(command) ?? [];
  if (value === undefined) throw new Error(`the command has no option --${name}`);
  return value;
}
