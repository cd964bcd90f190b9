/** DynamoDB Local, where `npm run test:engines` has started it: contracts, behaviours, the demo. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { reportedUnits } from '../../../bench/units/reported-units.ts';
import { type DemoResult, runDemo } from '../../../cli/demo/run.ts';
import { systemClock } from '../../../core/base/time.ts';
import config from '../../../tollbridge.config.ts';
import { assemblyOf } from '../../../tools/clouds/assembly.ts';
import { localClient, makeDynaliteStore } from '../../../tools/stores/dynalite-store.ts';
import type { Store } from '../../../tools/stores/engines.ts';
import { createTables, deleteTables } from '../../../tools/stores/tables.ts';
import { observe } from '../behaviours/all.ts';
import { everyContract } from '../suites/all.ts';
import { differing, engineDocument, type Seen } from './document.ts';

const DOCUMENT = fileURLToPath(new URL('../../../docs/engines.md', import.meta.url));
const url = process.env.TOLLBRIDGE_DYNAMODB_LOCAL ?? '';
const version = process.env.TOLLBRIDGE_DYNAMODB_LOCAL_VERSION ?? '';
const isSkipped = url === '';
if (isSkipped) {
  process.stderr.write(
    'skipped: DynamoDB Local is started by npm run test:engines, and not here\n',
  );
}

let stores = 0;

/** Tables of its own for each suite. */
async function makeStore(): Promise<Store> {
  const client = localClient(url);
  const tables = await createTables(client, `Suite-${++stores}-`);
  return {
    client,
    tables,
    close: async () => {
      await deleteTables(client, Object.values(tables));
      client.destroy();
    },
  };
}

describe.skipIf(isSkipped)('DynamoDB Local', () => {
  everyContract('DynamoDB Local', makeStore);
  reportedUnits('DynamoDB Local', async () => ({ url, close: async () => {} }));
});

describe.skipIf(isSkipped)('docs/engines.md', () => {
  let dynalite: Seen;
  let local: Seen;
  let demo: DemoResult;

  beforeAll(async () => {
    dynalite = { version: versionOf('dynalite'), ...(await seenOn(makeDynaliteStore)) };
    local = { version, ...(await seenOn(makeStore)) };
    demo = await demoOnLocal();
    // The demo ends itself after ten minutes.
  }, 900_000);

  it('gives a reason why it does not matter, for each thing that an engine does otherwise', () => {
    const bare = differing(dynalite, local).filter(({ otherwise }) => otherwise === undefined);
    expect(bare.map(({ title }) => title)).toEqual([]);
  });

  it('tells of a demo that booked all of its 1,000 charges once, to the last digit', () => {
    expect(demo.reconciliation.meant).toBe(1_000);
    expect(demo.reconciliation.isExact).toBe(true);
    const { cuts, crashes, fallbacks } = demo.injectedFaults;
    expect(Math.min(cuts, crashes, fallbacks)).toBeGreaterThan(0);
  });

  it('says what this run saw, no more and no less', () => {
    const text = engineDocument({ dynalite, local, demo: demo.figures });
    if (process.env.TOLLBRIDGE_ENGINES_WRITE === 'yes') writeFileSync(DOCUMENT, text);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(text);
  });
});

async function seenOn(make: () => Promise<Store>): Promise<Pick<Seen, 'observations'>> {
  const store = await make();
  try {
    return { observations: await observe(store) };
  } finally {
    await store.close();
  }
}

async function demoOnLocal(): Promise<DemoResult> {
  const assembly = await assemblyOf(config);
  try {
    return await runDemo({
      assembly: assembly,
      scratch: await mkdtemp(join(tmpdir(), 'tollbridge-demo-')),
      devices: 20,
      messages: 50,
      seed: 1,
      loss: 0.05,
      broken: false,
      dynamodbUrl: url,
      clock: systemClock,
      onProgress: () => {},
    });
  } finally {
  }
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
