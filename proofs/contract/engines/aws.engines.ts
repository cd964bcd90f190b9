/**
 * The contracts on AWS, and AWS held to what it documents. With AWS_ENDPOINT_URL_DYNAMODB set it is
 * a rehearsal on DynamoDB Local, which is held to what docs/engines.md says of it.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../tools/stores/engines.ts';
import { behaviours, observe } from '../behaviours/all.ts';
import { everyContract } from '../suites/all.ts';
import { makeAwsStore, PREFIX_VARIABLE } from './aws-store.ts';
import { columnOf } from './document.ts';

const prefix = process.env[PREFIX_VARIABLE] ?? '';
const endpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB;
const isRehearsal = endpoint !== undefined && endpoint !== '';
const isSkipped = prefix === '';
if (isSkipped) process.stderr.write(`skipped, AWS: ${PREFIX_VARIABLE} is not set\n`);

const name = isRehearsal ? `the suites for AWS at ${endpoint}` : 'AWS';

describe.skipIf(isSkipped)(name, () => {
  let store: Store;
  beforeAll(async () => {
    store = await makeAwsStore(prefix);
  }, 300_000);
  afterAll(() => store?.close(), 300_000);

  // The suites share the four tables, which are deleted when all are done.
  everyContract(name, async () => ({ ...store, close: async () => {} }));

  describe('as an engine', () => {
    const document = readFileSync(new URL('../../../docs/engines.md', import.meta.url), 'utf8');
    const told = columnOf(document, 'DynamoDB Local');
    const asked = behaviours.filter(({ notOnAws }) => isRehearsal || notOnAws === undefined);

    it.each(asked)('answers as is written down: $title', async (behaviour) => {
      const seen = await observe(store, [behaviour]);
      expect(seen.get(behaviour.title)).toBe(isRehearsal ? told(behaviour) : behaviour.documented);
    });
  });
});
