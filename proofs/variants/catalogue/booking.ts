/** Faults in the one write, and in what is made of its answer. */
import { SIMULATED, type Variant } from '../variant.ts';

const DYNALITE = 'proofs/contract/dynalite.test.ts';
const ROWS = 'lambda/adapters/table-rows.ts';
const WRITES = 'lambda/adapters/writes.ts';
const VERDICT = 'core/guarantees/verdict.ts';

export const booking: readonly Variant[] = [
  {
    name: 'mark-before-row',
    after: 'pulsar#5218',
    fault: 'the mark is written before the row, in a write of its own',
    breaks: ['I2', 'I3'],
    edits: [
      {
        file: 'lambda/adapters/exactly-once.ts',
        from: '    book: (write) => rows.write(write, exactlyOnceUpdate(write)),',
        to: `
    book: async (write) => {
      const { topic, body, fingerprint, rowVersion, bookedAtMillis } = write.first;
      const isNew = await rows.update('marking', {
        Key: { pk: { S: write.key.pk }, id: { S: 'mark of ' + write.key.id + fingerprint } },
        UpdateExpression: 'SET #tries = :tries',
        ConditionExpression: 'attribute_not_exists(pk)',
        ExpressionAttributeNames: { '#tries': 'tries' },
        ExpressionAttributeValues: { ':tries': { N: '1' } },
      });
      if (isNew || (await rows.find(write.key)) !== undefined) {
        return rows.write(write, exactlyOnceUpdate(write));
      }
      const firstDeliveryId = 'whoever made the mark';
      const row = { topic, body, fingerprint, rowVersion, bookedAtMillis, firstDeliveryId };
      return { kind: 'counted', row };
    },`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'copy-deletes-row',
    after: 'powertools-typescript#5675',
    fault: 'a duplicate deletes the row',
    breaks: ['I1', 'I3', 'I7'],
    edits: [
      {
        file: ROWS,
        from: '  GetItemCommand,\n  UpdateItemCommand,',
        to: '  DeleteItemCommand,\n  GetItemCommand,\n  UpdateItemCommand,',
      },
      {
        file: ROWS,
        from: "      : { kind: 'counted', row: this.#rowOf(result.before) };",
        to: `
      : { kind: 'counted', row: await this.#dropped(write, this.#rowOf(result.before)) };
  }

  async #dropped(write: RowWrite, row: Read): Promise<Read> {
      if (row.firstDeliveryId !== write.first.firstDeliveryId) {
        const Key = { pk: { S: write.key.pk }, id: { S: write.key.id } };
        await this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key }));
      }
      return row;`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'late-owner-overwrites',
    after: 'powertools-typescript#5714',
    fault: 'an attribute is SET without if_not_exists',
    breaks: ['I1'],
    edits: [
      {
        file: WRITES,
        from: '`#${name} = if_not_exists(#${name}, :${name})`',
        to: "name === 'bookedAt' ? `#${name} = :${name}` : `#${name} = if_not_exists(#${name}, :${name})`",
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: DYNALITE,
        title:
          'dynalite as a store that is the ledger never changes what the first delivery wrote (I1): a copy counts, dates and adds nothing',
      },
    ],
  },
  {
    name: 'row-version-not-asked',
    after: 'ours',
    fault: 'a copy adds attributes to a row of an older version',
    breaks: ['I1'],
    edits: [
      {
        file: 'core/guarantees/exactly-once/conditions.ts',
        from: '  both(rowIsOfTheSameBody, rowHasTheseAttributes),',
        to: "  both(rowIsOfTheSameBody, ':rowVersion = :rowVersion'),",
      },
    ],
    checks: [
      {
        by: 'test',
        file: DYNALITE,
        title:
          'dynalite as a store that is the ledger refuses a copy of a row of another version, which gains no attribute (I1)',
      },
    ],
  },
  {
    name: 'mutated-before-key',
    after: 'powertools-typescript#5715',
    fault: 'the key is read after the body was mutated: stamped with its delivery',
    breaks: ['I1', 'I5', 'I7'],
    edits: [
      {
        file: 'core/guarantees/exactly-once/guarantee.ts',
        from: '    const reading = readIdFrom(route.id, { delivery, body });',
        to: `
  if (typeof body.id === 'string') body.id = \`\${body.id}@\${delivery.deliveryId}\`;
  const reading = readIdFrom(route.id, { delivery, body });`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'conflict-as-duplicate',
    after: 'rafiki#223',
    fault: 'a conflict is answered `duplicate`',
    breaks: ['I5', 'I3', 'I2'],
    edits: [
      {
        file: VERDICT,
        from: "  return { kind: 'conflict', row, fields: differingFields(row, write.first, ignored) };",
        to: `
          differingFields(row, write.first, ignored);
          return { kind: 'duplicate', bookedAt: row.bookedAtMillis, firstDeliveryId: row.firstDeliveryId };`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'conflict-not-kept',
    after: 'ours',
    fault: 'a conflict is told to the device and not written to the quarantine',
    breaks: ['I2', 'I5'],
    edits: [
      {
        file: 'lambda/ingest/process-message.ts',
        from: '  await quarantine(deps, fold, rejection, {\n    fields,',
        to: '  if (rejection.reason !== `conflict`) await quarantine(deps, fold, rejection, {\n    fields,',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'float-amounts',
    after: 'ours',
    fault: 'an amount passes through a float',
    breaks: ['I1'],
    edits: [
      {
        file: 'core/base/decimal.ts',
        from: '  return { ok: true, decimal: value.toString() };',
        to: '  return { ok: true, decimal: String(Number(text)) };',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/core/base/decimal.test.ts',
        title: 'readDecimal says the very number that was sent',
      },
    ],
  },
];
