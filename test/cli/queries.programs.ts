/** Goal: the AWS command line itself takes every statement of docs/queries.md, where it is installed. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from '../../tools/clouds/asking-ground.ts';
import {
  document,
  EXPECTED,
  type Statement,
  seedForQueries,
  statementsOf,
} from '../../tools/clouds/documented-queries.ts';

const run = promisify(execFile);
const isInstalled = spawnSync('aws', ['--version']).status === 0;
const names = [...document.matchAll(/```sh query ([\w-]+)/g)].map(([, name = '']) => name);
if (!isInstalled) {
  process.stderr.write(
    'skipped: the AWS command line is not installed (Debian: apt-get install awscli)\n',
  );
}

describe.skipIf(!isInstalled)('the AWS command line', () => {
  let bench: Bench;
  let statements: readonly Statement[];

  beforeAll(async () => {
    bench = await startBench();
    statements = statementsOf(await seedForQueries(bench));
  });

  afterAll(() => bench.close());

  it.each(names)('asks %s as it stands', async (name) => {
    const { args = [] } = statements.find((each) => each.name === name) ?? {};
    const [look, seen] = EXPECTED[name] ?? [];
    const { cloud } = bench.bridge;
    const { stdout } = await run(
      'aws',
      [...args, '--endpoint-url', cloud.apiUrl, '--region', cloud.region, '--output', 'json'],
      {
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: 'operator',
          AWS_SECRET_ACCESS_KEY: 'local',
          AWS_PAGER: '',
        },
      },
    );
    expect(look?.(JSON.parse(stdout))).toEqual(seen);
  });
});
