/** The statements of docs/queries.md, as arguments and as requests of the SDK, and what they find. */
import { readFileSync } from 'node:fs';
import type { Bench } from './asking-ground.ts';

export interface Statement {
  readonly name: string;
  /** Everything after `aws`, variables filled in. */
  readonly args: readonly string[];
}

export const document = readFileSync('docs/queries.md', 'utf8');

export function statementsOf(variables: Readonly<Record<string, string>>): readonly Statement[] {
  return [...document.matchAll(/```sh query ([\w-]+)\n([\s\S]*?)```/g)].map(
    ([, name = '', text = '']) => {
      const [program, ...args] = wordsOf(text, variables);
      if (program !== 'aws') throw new Error(`${name} runs ${program}, not aws`);
      return { name, args };
    },
  );
}

/** The words of one command of a POSIX shell: quotes, continued lines and variables, no more. */
function wordsOf(text: string, variables: Readonly<Record<string, string>>): readonly string[] {
  const pattern = /'([^']*)'|"([^"]*)"|([^\s'"\\]+)|\\\n|\s+/gy;
  const words: string[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index !== at) break;
    at += match[0].length;
    const [, single, double, bare] = match;
    const word = single ?? filled(double ?? bare, variables);
    if (word !== undefined) words.push(word);
  }
  if (at !== text.length) throw new Error(`not understood: ${text.slice(at)}`);
  return words;
}

function filled(
  text: string | undefined,
  variables: Readonly<Record<string, string>>,
): string | undefined {
  return text?.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`nothing sets $${name}`);
    return value;
  });
}

/** `--key-condition-expression` and its value as `KeyConditionExpression`. */
export function requestOf({ args }: Statement): {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
} {
  const [service, operation = '', ...flags] = args;
  if (service !== 'dynamodb') throw new Error(`the service is ${service}`);
  const input: Record<string, unknown> = {};
  for (let at = 0; at < flags.length; at++) {
    const name = pascal((flags[at] ?? '').replace(/^--/, ''));
    const next = flags[at + 1];
    if (next === undefined || next.startsWith('--')) input[name] = true;
    else {
      input[name] = /^[{[]/.test(next) ? JSON.parse(next) : next;
      at++;
    }
  }
  return { operation: pascal(operation), input };
}

function pascal(name: string): string {
  return name
    .split('-')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
}

const at = '2026-11-20T08:59:00Z';
const charge = (id: string, changes = {}) => ({
  id,
  account: 'acme',
  amount: '1.25',
  at,
  ...changes,
});

/** Rows that the statements are to find, beside rows that they must not. */
export async function seedForQueries(bench: Bench): Promise<Readonly<Record<string, string>>> {
  const device = 'meter-17';
  await bench.seed('charges', { device, body: charge('a-1') });
  await bench.seed('charges', { device, body: charge('a-2', { at: '2026-11-01T00:00:00Z' }) });
  await bench.seed('charges', {
    device,
    body: charge('a-3', { at: '2026-11-30T23:00:00Z' }),
    bookedAt: '2026-12-03T00:00:00.000Z',
  });
  await bench.seed('charges', {
    device,
    body: charge('a-4', { account: 'other', at: '2026-10-20T00:00:00Z' }),
  });
  await bench.seed('charges', { device: 'meter-18', body: charge('b-1') });
  await bench.conflict('charges', { device, body: charge('a-1', { amount: '9' }) }, '{}');
  await bench.conflict('charges', { device, body: charge('a-10', { amount: '9' }) }, '{}');
  await bench.seed('events', { device, body: { id: 'e-1' } });
  await bench.seed('status', { device, body: { at } });
  for (const seq of [9, 10]) {
    await bench.seed('parking', {
      device: 'gate-1',
      body: { boot: 'b', seq, account: 'p', amount: '1', at },
    });
  }
  const {
    Ledger: LEDGER,
    DedupRecords: DEDUP_RECORDS,
    State: STATE,
    Quarantine: QUARANTINE,
  } = bench.tables;
  return { LEDGER, DEDUP_RECORDS, STATE, QUARANTINE };
}

interface Answered {
  readonly Items?: readonly Readonly<
    Record<string, { readonly S?: string; readonly N?: string }>
  >[];
  readonly Item?: Readonly<Record<string, { readonly S?: string }>>;
  readonly Count?: number;
  readonly Table?: { readonly GlobalSecondaryIndexes?: readonly { readonly IndexName?: string }[] };
}

const texts = (name: string) => (answer: Answered) => answer.Items?.map((item) => item[name]?.S);

/** What each statement finds: how to look at its answer, and what is to be seen there. */
export const EXPECTED: Readonly<
  Record<string, readonly [look: (answer: Answered) => unknown, seen: unknown]>
> = {
  'ledger-by-device': [texts('id'), ['a-1', 'a-2', 'a-3', 'a-4']],
  'ledger-row': [({ Item }) => Item?.id?.S, 'a-1'],
  'account-month': [texts('id'), ['a-2', 'a-1', 'b-1', 'a-3']],
  'account-day': [texts('id'), ['a-1', 'b-1']],
  'account-count': [({ Count, Items }) => [Count, Items ?? []], [4, []]],
  'account-late': [texts('id'), ['a-3']],
  'message-quarantine': [texts('id'), ['a-1']],
  'message-window': [({ Item }) => Item?.id?.S, 'e-1'],
  'newest-values': [texts('id'), ['status/meter-17']],
  'sequence-numbers': [texts('sequence'), ['10', '9']],
  'quarantine-day': [texts('id'), ['a-1', 'a-10']],
  'quarantine-device': [({ Items }) => Items?.length, 2],
  size: [({ Table }) => Table?.GlobalSecondaryIndexes?.[0]?.IndexName, 'by-account'],
  'scan-month': [({ Items }) => Items?.length, 6],
};
