/** What the checks came to, and how it is told. Pure. */
import Table from 'cli-table3';
import type { Ran } from './checker.ts';
import { type Check, type ModelName, NEVER_REACHED } from './checks.ts';
import { nameOf, reachedIn, type Statement } from './pan-output.ts';

/** Why the run is not as it has to be; undefined where it is. */
export function surpriseOf({ check, result }: Pick<Ran, 'check' | 'result'>): string | undefined {
  if (result.incomplete !== undefined) return result.incomplete;
  switch (check.kind) {
    case 'bound':
      return result.errors === 0 ? undefined : `${result.failed ?? 'something'} fails`;
    case 'variant':
    case 'limit':
      if (result.errors === 0) return `${check.breaks} should fail, and holds`;
      return result.failed === check.breaks
        ? undefined
        : `${check.breaks} should fail, and ${result.failed ?? 'something else'} does`;
  }
}

export const HEAD = [
  'model',
  'bound or variant',
  'property',
  'states',
  'depth',
  's',
  'MiB',
  'result',
] as const;

export function rowOf(ran: Pick<Ran, 'check' | 'result'>): readonly string[] {
  const { check, result } = ran;
  return [
    check.model,
    check.name,
    check.kind === 'bound' ? (check.isLive ? 'live' : 'all') : check.breaks,
    result.states.toLocaleString('en-US'),
    String(result.depth),
    result.seconds.toFixed(1),
    String(result.memoryMiB),
    surpriseOf(ran) ?? (check.kind === 'bound' ? 'holds' : 'fails, as it must'),
  ];
}

export function tableOf(rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...HEAD], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The same for a document: without times and memory, which are of one machine. */
export function markdownOf(runs: readonly Ran[], covered: readonly Coverage[]): string {
  const sections = [
    ['Every state, every property', 'bound', 'what'],
    ['Broken variants', 'variant', 'what is broken'],
    ['Limits of the promise', 'limit', 'what is not promised'],
  ] as const;
  const tables = sections.map(([title, kind, what]) => {
    const rows = runs
      .filter(({ check }) => check.kind === kind)
      .map((ran) => {
        const [model, name, property, states, depth, , , result] = rowOf(ran);
        return [model, code(ran.check, name), ran.check.says, property, states, depth, result];
      });
    const head = ['model', 'name', what, 'property', 'states', 'depth', 'result'];
    const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
    return `### ${title}\n\n${lines.join('\n')}\n`;
  });
  const reached = covered.map(({ model, events }) => `- \`${model}.pml\`: ${events.join(' · ')}`);
  return [...tables, `### What happens in them\n\n${reached.join('\n')}\n`].join('\n');
}

function code({ kind, defines }: Check, name = ''): string {
  return kind === 'bound' ? `${name} (\`${defines.join(' ')}\`)` : `\`${name}\``;
}

export interface Coverage {
  readonly model: ModelName;
  /** What happens in the model, in its own words. */
  readonly events: readonly string[];
  /** Statements that no bound reaches and nobody has allowed. */
  readonly missed: readonly string[];
  /** Those that are allowed, each with its reason. */
  readonly allowed: readonly string[];
}

/** What the bounds of a model have reached together: properties of what never happens prove nothing. */
export function coverageOf(model: ModelName, runs: readonly Ran[]): Coverage {
  const all = new Map<string, Omit<Statement, 'state'>>();
  const reached = new Set<string>();
  for (const { check, result, statements } of runs) {
    if (check.model !== model || check.kind !== 'bound') continue;
    for (const statement of statements) all.set(nameOf(statement), statement);
    for (const name of reachedIn(statements, result.unreached)) reached.add(name);
  }
  const never = [...all.values()].filter((each) => !reached.has(nameOf(each)));
  const whyOf = ({ text }: { readonly text: string }) =>
    NEVER_REACHED.find((each) => each.model === model && each.text.test(text))?.why;
  return {
    model,
    events: [...new Set([...all.values()].flatMap(eventOf).toSorted())],
    missed: never.filter((each) => whyOf(each) === undefined).map(nameOf),
    allowed: never.flatMap((each) => {
      const why = whyOf(each);
      return why === undefined ? [] : [`${nameOf(each)}: ${why}`];
    }),
  };
}

/** `printf('accepted\n')`; lines with figures only say of what. */
function eventOf({ text }: { readonly text: string }): readonly string[] {
  const [, words] = /^printf\('(\S.*)\\n'\)$/.exec(text) ?? [];
  return words === undefined ? [] : [words];
}
