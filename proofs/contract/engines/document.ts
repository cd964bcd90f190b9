/** docs/engines.md: written from what a run saw, and read back. */

import { behaviours, type Observations } from '../behaviours/all.ts';
import type { Behaviour } from '../behaviours/behaviour.ts';

export interface Seen {
  readonly version: string;
  readonly observations: Observations;
}

/** What a run saw, on each engine that runs here. */
export interface EnginesRun {
  readonly dynalite: Seen;
  readonly local: Seen;
  /** Of the demo on DynamoDB Local; the figures that are the same in each run. */
  readonly demo: {
    readonly meant: number;
    readonly booked: number;
    readonly lost: number;
    readonly doubleBooked: number;
    readonly trueTotal: string;
    readonly bookedTotal: string;
  };
}

const SAME = 'as documented';
const DYNALITE = 'dynalite';
const LOCAL = 'DynamoDB Local';

/** The whole document. It holds no time and no duration: two runs that see the same write the same. */
export function engineDocument({ dynalite, local, demo }: EnginesRun): string {
  const header = [
    'behaviour',
    `${DYNALITE} ${dynalite.version}`,
    `${LOCAL} ${local.version}`,
    'what AWS documents',
  ];
  const rows = behaviours.map((behaviour) => [
    behaviour.title,
    cellOf(behaviour, dynalite.observations),
    cellOf(behaviour, local.observations),
    `${behaviour.documented} (${behaviour.isInferred ? '*inferred* from ' : ''}${behaviour.page})`,
  ]);
  return `${[
    '# Engines',
    '',
    'Written by `npm run test:engines -- --write`; `npm run test:engines` fails when a run sees anything else.',
    '',
    'The contract suites (ledger, dedup records, state, quarantine, releases) pass on dynalite and on DynamoDB Local, through the',
    'adapters that Lambda uses, in tables made from the synthesized template. Where `TOLLBRIDGE_AWS_TEST_TABLE_PREFIX` is set they run',
    'on AWS, which is then held to the last column. No run on AWS is on record here. Where the last column says *inferred*, the page',
    'states the rule, but not how it shows. That a request beyond a limit fails with a ValidationException is what *Error handling*',
    'says of values out of range.',
    '',
    'DynamoDB Local is Amazon’s. Its licence asks for an AWS account and forbids passing it on: it is fetched when the suites run, and',
    'is no part of this project. It listens on every interface, so it is run in a network namespace that has loopback alone.',
    '',
    '## What they do',
    '',
    ...table(header, rows),
    '',
    '## Why it does not matter where one does otherwise',
    '',
    ...differing(dynalite, local).map(
      ({ title, otherwise }) => `- *${title}*: ${otherwise ?? 'no reason is known'}`,
    ),
    '',
    '## What is not asked of AWS',
    '',
    ...behaviours.flatMap(({ title, notOnAws }) =>
      notOnAws === undefined ? [] : [`- *${title}*: ${notOnAws}`],
    ),
    '',
    '## The demo on DynamoDB Local',
    '',
    `The demo of the README (20 devices, 50 charges each, connections cut, functions killed) with DynamoDB Local ${local.version} in place of`,
    'the embedded engine:',
    '',
    ...table(
      ['charges meant', 'booked', 'lost', 'booked twice', 'amounts'],
      [
        [
          ...[demo.meant, demo.booked, demo.lost, demo.doubleBooked].map(String),
          demo.trueTotal === demo.bookedTotal
            ? 'ledger equals truth, to the last digit'
            : `meant ${demo.trueTotal}, booked ${demo.bookedTotal}`,
        ],
      ],
    ),
  ].join('\n')}\n`;
}

function cellOf({ title, documented }: Behaviour, observations: Observations): string {
  const seen = observations.get(title) ?? 'not looked at';
  return seen === documented ? SAME : seen;
}

/** What one of the engines does otherwise than AWS documents. */
export function differing(...engines: readonly Seen[]): readonly Behaviour[] {
  return behaviours.filter((behaviour) =>
    engines.some(({ observations }) => cellOf(behaviour, observations) !== SAME),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => {
    const broken = cells.find((cell) => /[|\n]/.test(cell));
    if (broken !== undefined) throw new Error(`a table cannot hold ${JSON.stringify(broken)}`);
    return `| ${cells.join(' | ')} |`;
  };
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

/** What the document says of an engine, by title; undefined where it says nothing. */
export function columnOf(
  document: string,
  engine: typeof DYNALITE | typeof LOCAL,
): (behaviour: Behaviour) => string | undefined {
  const lines = document.split('\n').filter((line) => line.startsWith('| '));
  const cells = lines.map((line) => line.slice(2, -2).split(' | '));
  const column = cells[0]?.findIndex((name) => name.startsWith(engine)) ?? -1;
  const found = new Map(cells.map((row) => [row[0], row[column]] as const));
  return ({ title, documented }) => {
    const cell = found.get(title);
    return cell === SAME ? documented : cell;
  };
}
