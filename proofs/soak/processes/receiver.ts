/** The receiver of forwards, as a process that is killed and started again with its store. */
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { Deadline } from '../waiting.ts';
import type { FromReceiver, Memory } from '../words.ts';
import { Child } from './child.ts';

export class ForwardReceiver {
  readonly effects = new Set<string>();
  readonly troubles: string[] = [];
  kills = 0;
  #subscriptions = 0;
  readonly #program: string;
  readonly #deadline: Deadline;
  readonly #orders: { readonly url: string; readonly folder: string };
  #child: Child<FromReceiver, object>;

  constructor(program: string, url: string, folder: string, deadline: Deadline) {
    this.#program = program;
    this.#deadline = deadline;
    this.#orders = { url, folder };
    this.#child = this.#start();
  }

  /** How often all filters have been granted: once for each connection. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  get isOver(): boolean {
    return this.#child.isOver;
  }

  printed(): string {
    return this.#child.printed();
  }

  memory(): Promise<Memory> {
    return this.#child.ask({ kind: 'memory' });
  }

  async kill(): Promise<void> {
    await this.#child.kill();
    this.kills += 1;
    this.#child = this.#start();
  }

  async close(): Promise<void> {
    if (this.#child.isOver) return;
    await this.#child.ask({ kind: 'close' });
    await this.#child.end();
  }

  async end(): Promise<void> {
    if (!this.#child.isOver) await this.#child.kill();
  }

  /** What is on its disk, once it is closed: how often each forward had its effect. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const database = new ClassicLevel<string, string>(join(this.#orders.folder, 'effects'));
    const counts = new Map<string, number>();
    for await (const [id, count] of database.iterator()) counts.set(id, Number(count));
    await database.close();
    return counts;
  }

  #start(): Child<FromReceiver, object> {
    return new Child<FromReceiver, object>({
      file: this.#program,
      deadline: this.#deadline,
      orders: this.#orders,
      hear: (message) => {
        switch (message.kind) {
          case 'subscribed':
            this.#subscriptions += 1;
            return;
          case 'effect':
            this.effects.add(message.id);
            return;
          case 'trouble':
            this.troubles.push(message.what);
        }
      },
    });
  }
}
