/** Goal: `npm run cost` computes a month's bill by line, and docs/scale.md says what it computes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { costCommand } from '../../cli/cost/command.ts';
import { PRICES } from '../../cli/cost/prices.ts';
import { SAMPLE_BRIDGE } from '../../cli/cost/sample.ts';
import { INDEX_SHARDS_MAX, QUEUE_BATCH_MESSAGES } from '../../core/base/limits.ts';
import { alarmsOf } from '../../core/operations/alarms.ts';
import { runHere } from '../../tools/clouds/asking-ground.ts';

const LOAD = ['--events-per-day', '1000000', '--devices', '10000'] as const;
const cost = (...args: readonly string[]) => runHere(costCommand(), args);

interface BillJson {
  readonly usd: string;
  readonly usdPerMillionEvents: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly lines: readonly { readonly for: string; readonly what: string; readonly usd: string }[];
  readonly quotas: readonly {
    readonly name: string;
    readonly got: number;
    readonly allowed: number;
    readonly isExceeded: boolean;
  }[];
}

async function bill(...args: readonly string[]): Promise<BillJson> {
  const { stdout, status } = await cost(...LOAD, ...args, '--json');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}
const shareOf = ({ lines }: BillJson, share: string) =>
  lines.filter((line) => line.for === share).reduce((sum, { usd }) => sum + Number(usd), 0);
const quotaOf = ({ quotas }: BillJson, name: string) => {
  const found = quotas.find((quota) => quota.name === name);
  if (found === undefined) throw new Error(`no quota is called ${name}`);
  return found;
};

describe('cost', () => {
  it('prints a line for each thing that is bought, the total, and what it hangs on', async () => {
    const { stdout, status } = await cost(...LOAD, '--copies', '0.02');
    expect(status).toBe(0);
    for (const part of [
      /messages of devices +│ +30,612,245 │ 5 KB messages/,
      /writes to tables .*│ +19\.13 │/,
      /US\$ [\d,]+\.\d\d a month, US\$ [\d.]+ for a million events/,
      /nearest to its limit: connections, 10,000 of 500,000/,
      /assumed, not measured on AWS: \d+ ms/,
      /each further month of them adds US\$ \d+\.\d\d/,
    ]) {
      expect(stdout).toMatch(part);
    }
    expect(stdout).not.toContain('too much');
  });

  it('prints one object for programs, its decimals as texts, that adds up', async () => {
    const all = await bill();
    const sum = all.lines.reduce((total, { usd }) => total + Number(usd), 0);
    expect(Number(all.usd)).toBeCloseTo(sum, 3);
    expect(Number(all.usdPerMillionEvents)).toBeCloseTo(Number(all.usd) / 30, 3);
    expect(all.settings).toMatchObject({
      eventsPerDay: '1000000',
      devices: 10_000,
      copies: '0',
      feed: 'queue',
      batch: 1,
      receipts: 0,
      gathered: 1,
      basicIngest: false,
      bodyBytes: 300,
      subscribers: 0,
    });
  });

  it('has a flag for every setting, each of which changes its own lines', async () => {
    const as = await bill();
    const free = await bill('--basic-ingest');
    expect(shareOf(as, 'messages') - shareOf(free, 'messages')).toBeCloseTo(30, 6);
    expect(shareOf(await bill('--feed', 'direct'), 'queue')).toBe(0);
    expect(shareOf(await bill('--receipts', 'none'), 'receipts')).toBe(0);
    expect(shareOf(await bill('--receipts', '1'), 'receipts')).toBeCloseTo(90, 6);
    const gathered = await bill('--batch', '10', '--gathered', '10');
    expect(shareOf(gathered, 'receipts')).toBeCloseTo(6, 6);
    expect(shareOf(await bill('--no-forward'), 'forward')).toBe(0);
    expect(shareOf(await bill('--subscribers', '2'), 'forward')).toBeCloseTo(150, 6);
    expect(shareOf(await bill('--connected-hours', '12'), 'connections')).toBeCloseTo(17.88, 6);
    expect(shareOf(await bill('--connects-per-day', '0'), 'connections')).toBeCloseTo(34.56, 6);
    expect(shareOf(await bill('--kept-months', '2'), 'kept')).toBeGreaterThan(
      shareOf(as, 'kept') * 1.8,
    );
    expect(shareOf(await bill('--copies', '0.5'), 'database')).toBeCloseTo(37.5, 6);
    expect(shareOf(await bill('--body-bytes', '4096'), 'database')).toBeCloseTo(93.75, 6);
  });

  it('says so where a row takes more than one unit', async () => {
    const { stdout } = await cost(...LOAD, '--body-bytes', '4096');
    expect(stdout).toContain('every delivery, copies too, takes 5 write units');
  });

  it('counts the alarms that the bridge has', async () => {
    const { stdout } = await cost(...LOAD);
    expect(stdout).toMatch(new RegExp(`alarms +│ +${alarmsOf(SAMPLE_BRIDGE).length} │`));
  });
});

describe('the quotas', () => {
  it('are those of the busiest second', async () => {
    const rate = async (peak: string) =>
      quotaOf(await bill('--peak', peak), 'rule evaluations').got;
    expect(await rate('1')).toBeCloseTo(1_000_000 / 86_400, 6);
    expect(await rate('10')).toBeCloseTo(10_000_000 / 86_400, 6);
  });

  it('count receipts and forwards as publications to the broker', async () => {
    const inbound = async (...args: readonly string[]) =>
      quotaOf(await bill('--peak', '1', ...args), 'publications to the broker').got * 86_400;
    expect(await inbound()).toBeCloseTo(3_000_000, 3);
    expect(await inbound('--no-forward')).toBeCloseTo(2_000_000, 3);
    expect(await inbound('--no-forward', '--receipts', 'none')).toBeCloseTo(1_000_000, 3);
  });

  it('count what is delivered, receipts and forwards alike, as publications of the broker', async () => {
    const outbound = async (...args: readonly string[]) =>
      quotaOf(await bill('--peak', '1', ...args), 'publications of the broker').got * 86_400;
    expect(await outbound()).toBeCloseTo(1_000_000, 3);
    expect(await outbound('--subscribers', '2')).toBeCloseTo(3_000_000, 3);
    expect(await outbound('--receipts', 'none')).toBe(0);
  });

  it('come with what to do, where the load is beyond them', async () => {
    const { stdout, status } = await cost(
      ...['--events-per-day', '1000000000', '--devices', '2000000', '--busiest-account', '0.05'],
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/too much: connections, 2,000,000 of 500,000 at a time; ask AWS/);
    expect(stdout).toMatch(/too much: rule evaluations, 46,296 of 20,000 a second/);
    expect(stdout).toMatch(/too much: writes of one table, 46,296 of 40,000 units a second/);
    expect(stdout).toMatch(/busiest account, 2,315 of 1,000 units .*set indexShards/);
    expect(stdout).toMatch(/too much: function instances, .*gather in a batch/);
  });

  it('know no queue’s pollers on the direct feed', async () => {
    const name = 'function instances of one queue';
    expect(quotaOf(await bill('--feed', 'direct'), name).got).toBe(0);
    expect(quotaOf(await bill(), name).got).toBeGreaterThan(0);
  });
});

describe('a wrong command line ends with status 2 and says what is allowed', () => {
  it.each([
    [[], /--events-per-day and --devices/],
    [['--events-per-day', '10'], /--events-per-day and --devices/],
    [[...LOAD, '--copies', '1'], /decimal from 0 to 0\.9/],
    [[...LOAD, '--copies', '1e-3'], /decimal from 0 to 0\.9/],
    [['--events-per-day', '0', '--devices', '1'], /whole number from 1/],
    [[...LOAD, '--devices', '1.5'], /whole number from 1/],
    [[...LOAD, '--feed', 'stream'], /queue, direct/],
    [[...LOAD, '--receipts', '2'], /none, 0 or 1/],
    [[...LOAD, '--region', 'eu-central-1'], /us-east-1/],
    [[...LOAD, '--body-bytes', '20'], /whole number from 1\d\d to 92160/],
    [[...LOAD, '--body-bytes', '92161'], /whole number from 1\d\d to 92160/],
    [[...LOAD, '--connected-hours', '25'], /decimal from 0 to 24/],
    [[...LOAD, '--peak', '0.5'], /decimal from 1 to 1000/],
    [[...LOAD, '--busiest-account', '2'], /decimal from 0 to 1/],
    [[...LOAD, '--gathered', '10'], /a batch has 1; allowed is 1 to --batch/],
    [[...LOAD, '--feed', 'direct', '--batch', '2'], /one delivery at a time/],
    [[...LOAD, '--no-forward', '--subscribers', '1'], /leave one of the two out/],
    [['--sizes', '--devices', '5'], /--sizes has its own/],
    [['--sizes', '--json'], /cannot be used with/],
  ] as const)('%j', async (args, allowed) => {
    const { status, stderr, stdout } = await cost(...args);
    expect(stderr).toMatch(allowed);
    expect(status).toBe(2);
    expect(stdout).toBe('');
  });
});

describe('docs/scale.md', () => {
  const text = readFileSync('docs/scale.md', 'utf8');
  const commands = [
    ...text.matchAll(/```sh cost\nnpm run -s cost -- ([^\n]+)\n```\n\n```text cost\n([^`]+)```/g),
  ].map(([, command = '', output = '']) => [command, output] as const);

  it('shows the bill at three sizes, as delivered and at its cheapest', () => {
    expect(commands).toHaveLength(2);
  });

  it.each(commands)('shows what npm run cost -- %s prints', async (command, output) => {
    const { stdout } = await cost(...command.split(' '));
    expect(output).toBe(stdout);
  });

  it('has every quota at the figure that the command has', async () => {
    const { quotas } = await bill();
    for (const { name, allowed } of quotas) {
      const row = text.split('\n').find((line) => line.startsWith(`| ${name} |`));
      expect(row, name).toContain(`| ${allowed.toLocaleString('en-US')} |`);
    }
  });

  it('says in its sentences what the model computes', async () => {
    const large = ['--events-per-day', '100000000', '--devices', '1000000', '--copies', '0.02'];
    const largest = ['--events-per-day', '1000000000', '--devices', '10000000', '--copies', '0.02'];
    const [as, batched] = [
      await bill('--copies', '0.02'),
      await bill('--copies', '0.02', '--batch', '10'),
    ];
    const saved = Number(as.usdPerMillionEvents) - Number(batched.usdPerMillionEvents);
    const millis: number[] = [];
    for (const batch of ['1', '10', '100', '1000']) {
      const { stdout } = await cost(...large, '--batch', batch);
      millis.push(Number(/assumed, not measured on AWS: (\d+) ms/.exec(stdout)?.[1]));
    }
    const [alone, ten, hundred, thousand = 0] = millis;
    const kept = JSON.parse((await cost(...large, '--json')).stdout) as BillJson;
    const month = kept.lines.filter(({ what }) => /^(rows|point)/.test(what));
    const most = JSON.parse((await cost(...largest, '--json')).stdout) as BillJson;
    const plain = text.replaceAll(/\s+/g, ' ');
    for (const sentence of [
      `US$ ${saved.toFixed(2)} for a million events`,
      `${alone} ms alone, ${ten} ms for 10, ${hundred} ms for 100, about ${(thousand / 1_000).toFixed(1)} s for 1,000`,
      `US$ ${(Math.round(month.reduce((sum, { usd }) => sum + Number(usd), 0) / 10) * 10).toLocaleString('en-US')} a month`,
      `and this is ${Math.round(quotaOf(kept, 'writes of a table that is new').got).toLocaleString('en-US')}`,
      `rule evaluations (${Math.round(quotaOf(most, 'rule evaluations').got).toLocaleString('en-US')} a second)`,
    ]) {
      expect(plain).toContain(sentence);
    }
  });

  it('has every price of the list', () => {
    for (const { usd, source } of Object.values(PRICES)) {
      const row = text
        .split('\n')
        .find((line) => line.endsWith(`| ${source} |`) && line.includes(usd));
      expect(row, source).toBeDefined();
    }
  });

  it('names limits of the project as they are', () => {
    expect(text).toContain(`up to ${INDEX_SHARDS_MAX} shards`);
    expect(text).toContain(`${QUEUE_BATCH_MESSAGES} deliveries at most`);
  });
});
