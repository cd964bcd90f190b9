/**
 * The local cloud of a run, as a process with its tables on disk, and the receiver of its forwards.
 * Knows which forwards have gone out and which the fault `drop` has taken.
 */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { localDynamoDB } from '../../../cli/access/local-tables.ts';
import type { Faults } from '../../../local/contracts.ts';
import type { Row } from '../books.ts';
import { FAULTS, SPEED } from '../plan.ts';
import type { Deadline } from '../waiting.ts';
import type { CloudOrders, CloudState, FromCloud, ToCloud } from '../words.ts';
import { Child } from './child.ts';

type Ready = Extract<FromCloud, { kind: 'ready' }>;

export class Cloud {
  readonly counts = new Map<string, number>();
  readonly forwarded = new Set<string>();
  /** Topics on which the bridge's publication was lost on purpose, once for each. */
  readonly droppedAt: string[] = [];
  readonly #orders: Omit<CloudOrders, 'seed'>;
  readonly #seed: number;
  readonly #deadline: Deadline;
  #child: Child<FromCloud, ToCloud>;
  #ready: Promise<Ready>;
  #lives = 0;

  constructor(
    orders: Omit<CloudOrders, 'seed' | 'speed' | 'faults'>,
    seed: number,
    deadline: Deadline,
  ) {
    this.#orders = { ...orders, speed: SPEED, faults: FAULTS };
    this.#seed = seed;
    this.#deadline = deadline;
    [this.#child, this.#ready] = this.#start();
  }

  get ready(): Promise<Ready> {
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get lives(): number {
    return this.#lives;
  }

  get isOver(): boolean {
    return this.#child.isOver;
  }

  printed(): string {
    return this.#child.printed();
  }

  state(): Promise<CloudState> {
    return this.#child.ask({ kind: 'memory' });
  }

  /** Messages in the queues that functions read. */
  waiting(): Promise<number> {
    return this.#child.ask({ kind: 'waiting' });
  }

  idle(): Promise<void> {
    return this.#child.ask({ kind: 'idle' });
  }

  redrive(): Promise<number> {
    return this.#child.ask({ kind: 'redrive' });
  }

  faults(faults: Faults): Promise<void> {
    return this.#child.ask({ kind: 'faults', faults });
  }

  /** Ends it in good order: what waits in its queues, which live in memory, is handled before. */
  async close(): Promise<void> {
    await this.#child.ask({ kind: 'close' });
    await this.#child.end();
  }

  /** Starts it again on the tables that it has left. */
  async restart(): Promise<void> {
    [this.#child, this.#ready] = this.#start();
    await this.#ready;
  }

  async kill(): Promise<void> {
    if (!this.#child.isOver) await this.#child.kill();
  }

  /** Every row of a table. */
  async rows(table: keyof Ready['tables']): Promise<readonly Row[]> {
    const { apiUrl, tables } = await this.#ready;
    const client = localDynamoDB(apiUrl);
    const query = { TableName: tables[table], ConsistentRead: true };
    const rows: Row[] = [];
    try {
      for await (const page of paginateScan({ client }, query)) rows.push(...(page.Items ?? []));
    } finally {
      client.destroy();
    }
    return rows;
  }

  #start(): [Child<FromCloud, ToCloud>, Promise<Ready>] {
    let isReady = (_: Ready): void => {};
    const ready = new Promise<Ready>((resolve) => {
      isReady = resolve;
    });
    const child: Child<FromCloud, ToCloud> = new Child({
      deadline: this.#deadline,
      file: new URL('cloud-child.ts', import.meta.url).pathname,
      execArgv: ['--import', 'tsx'],
      hear: (message) => {
        if (message.kind === 'ready') isReady(message);
        else this.#note(message);
      },
    });
    const seed = this.#seed + this.#lives++;
    child.tell({ kind: 'start', options: { ...this.#orders, seed } });
    const early = child.ended.then(() => {
      throw new Error(`the cloud ended: ${child.printed()}`);
    });
    early.catch(() => {});
    const started = this.#deadline.settled('the cloud is ready', Promise.race([ready, early]));
    started.catch(() => {});
    return [child, started];
  }

  #note({ counts, forwarded, droppedAt }: Extract<FromCloud, { kind: 'news' }>): void {
    for (const [name, count] of Object.entries(counts)) {
      this.counts.set(name, (this.counts.get(name) ?? 0) + count);
    }
    for (const id of forwarded) this.forwarded.add(id);
    this.droppedAt.push(...droppedAt.filter((topic) => !topic.startsWith('tollbridge/')));
  }
}
