/**
 * The calculator of DynamoDB's units, held to what an engine itself reports of single-item requests.
 * Of transactions and batches the engines report other figures than AWS's pages give.
 */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgeBooker } from './bookers.ts';
import type { Charged } from './charge.ts';
import { BODY_SIZES } from './index.ts';
import { measureBooker } from './measure.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { clientOf, createTables } from './tables.ts';

/** @param open an engine without tables of the benches' names */
export function reportedUnits(
  name: string,
  open: () => Promise<{ readonly url: string; close(): Promise<void> }>,
): void {
  describe(`units on ${name}`, () => {
    let engine: Awaited<ReturnType<typeof open>>;
    let recorder: Recorder;
    beforeAll(async () => {
      engine = await open();
      recorder = await startRecorder(engine.url);
      await createTables(recorder.url, { 'any-item': { keys: ['pk'], indexes: [] } });
    });
    afterAll(async () => {
      await recorder.close();
      await engine.close();
    });

    it('are what the engine reports of each request of the bridge that succeeds', async () => {
      const measured = await measureBooker(engine.url, bridgeBooker, BODY_SIZES);
      const charged = measured.flatMap((each) => Object.values(each.charged).flat());
      const succeeded = charged.filter(({ outcome }) => outcome === 'written');
      // First delivery, copy, and the conflict's row in the quarantine.
      expect(succeeded).toHaveLength(BODY_SIZES.length * 3);
      for (const each of succeeded) expectSame(each);
    });

    it('are what the engine reports of any item', async () => {
      const client = clientOf(recorder.url);
      recorder.take();
      await fc.assert(
        fc.asyncProperty(attributes, async (rest) => {
          const Item = { ...rest, pk: { S: 'one' } };
          await client.send(new PutItemCommand({ TableName: 'any-item', Item }));
          const [charged] = recorder.take();
          if (charged === undefined) throw new Error('nothing was charged');
          expectSame(charged);
        }),
        { numRuns: 60, seed: 7 },
      );
      client.destroy();
    });
  });
}

function expectSame({ units, reported }: Charged): void {
  expect(reported?.table).toBe(units.tableWrites);
  if (reported?.indexes !== undefined) expect(reported.indexes).toBe(units.indexWrites);
}

/** ASCII, for dynalite counts characters; no numbers, of which AWS says no more than about how long. */
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 3_000 });
const attributes = fc.dictionary(
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }),
  fc.oneof(
    text.map((S) => ({ S })),
    fc.uint8Array({ maxLength: 3_000 }).map((B) => ({ B })),
    fc.constant({ NULL: true as const }),
    text.map((S) => ({ L: [{ S }, { BOOL: true }] })),
  ),
  { maxKeys: 6 },
);
