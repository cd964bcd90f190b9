/**
 * The devices of a run: each a process with its outbox on disk, told what to say at a bounded rate,
 * killed and started again. Owns the processes; the books have what was meant.
 */
import { join } from 'node:path';
import type { Chance } from '../../../local/contracts.ts';
import type { Books } from '../books.ts';
import { deviceName, isSteady, type Meant } from '../plan.ts';
import type { Deadline } from '../waiting.ts';
import type { FromDevice, Memory, ToDevice } from '../words.ts';
import { Child } from './child.ts';

export interface FleetOptions {
  readonly devices: number;
  readonly url: string;
  readonly folder: string;
  /** The bundle of `device-child.ts`. */
  readonly program: string;
  readonly chance: Chance;
  readonly books: Books;
  readonly deadline: Deadline;
}

/** A device that has so many messages on the way is given no more. */
const UNHEARD_MAX = 60;
/**
 * Of a hundred messages: so many bad ones, and of the others so many charges and events. Each event
 * invokes a function by itself, of which two run at a time: they are what a cloud falls behind with.
 */
const BAD_PERCENT = 3;
const CHARGES_PERCENT = 52;
const EVENTS_PERCENT = 15;

interface Post {
  readonly index: number;
  readonly device: string;
  child: Child<FromDevice, ToDevice>;
  /** Told and not yet known to be on disk; said again to the next life. */
  readonly unheard: Map<string, Meant>;
  /** Charges that are booked, for bodies that contradict them. */
  readonly booked: Meant[];
  next: number;
  /** The last time of a value: the next is later. */
  lastAtMillis: number;
}

export class Fleet {
  kills = 0;
  readonly #options: FleetOptions;
  readonly #posts: Post[];
  readonly #meantToEnd = new WeakSet<object>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#posts = Array.from({ length: options.devices }, (_, index) => {
      const device = deviceName(index);
      const fresh = { unheard: new Map(), booked: [], next: 1, lastAtMillis: 0 };
      return { index, device, ...fresh, child: this.#start(index, device) };
    });
  }

  /** Has one device say one thing, unless it has too much on its way. */
  sayOne(): void {
    const { chance, books } = this.#options;
    const post = this.#posts[chance.below(this.#posts.length)];
    if (post === undefined || post.unheard.size >= UNHEARD_MAX) return;
    const meant = this.#draw(post);
    books.mean(meant);
    post.unheard.set(meant.serial, meant);
    this.#say(post, meant);
  }

  /** Ends one device that is not measured, and starts it again with its outbox. */
  async killOne(): Promise<void> {
    const mortal = this.#posts.filter(({ index }) => !isSteady(index));
    const post = mortal[this.#options.chance.below(Math.max(1, mortal.length))];
    if (post === undefined) return;
    this.#meantToEnd.add(post.child);
    await post.child.kill();
    this.kills += 1;
    post.child = this.#start(post.index, post.device);
  }

  /** Of the devices that live through the whole run. */
  memories(): Promise<readonly Memory[]> {
    return Promise.all(this.#steady().map(({ child }) => child.ask<Memory>({ kind: 'state' })));
  }

  /** Messages of a device that are on the way to its disk or without an answer, on average. */
  async pending(): Promise<number> {
    const steady = this.#steady();
    const kept = await Promise.all(
      steady.map(({ child }) => child.ask<number>({ kind: 'pending' })),
    );
    const unheard = this.#posts.reduce((sum, post) => sum + post.unheard.size, 0);
    return (
      kept.reduce((sum, count) => sum + count, 0) / steady.length + unheard / this.#posts.length
    );
  }

  #steady(): readonly Post[] {
    return this.#posts.filter(({ index }) => isSteady(index));
  }

  /** Resolves when every device has an answer to everything it holds. */
  async drain(): Promise<void> {
    await Promise.all(this.#posts.map(({ child }) => child.ask({ kind: 'drain' })));
  }

  /** Everything that was said is on a disk. */
  get isHeard(): boolean {
    return this.unheard.length === 0;
  }

  /** Devices that have not taken all that they were told, for a person. */
  get unheard(): readonly string[] {
    return this.#posts.flatMap(({ device, unheard }) =>
      unheard.size === 0 ? [] : [`${device} ${unheard.size}`],
    );
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#posts.map(async ({ child, device }) => {
        this.#meantToEnd.add(child);
        await child.ask({ kind: 'close' });
        const status = await child.end();
        if (status !== 0) {
          this.#options.books.failed.push(`${device} ended with ${status}: ${child.printed()}`);
        }
      }),
    );
  }

  async kill(): Promise<void> {
    for (const { child } of this.#posts) this.#meantToEnd.add(child);
    await Promise.all(this.#posts.map(({ child }) => (child.isOver ? undefined : child.kill())));
  }

  #start(index: number, device: string): Child<FromDevice, ToDevice> {
    const { url, folder, program, deadline } = this.#options;
    const child: Child<FromDevice, ToDevice> = new Child({
      file: program,
      deadline,
      orders: { device, index, url, outbox: join(folder, device) },
      hear: (message) => this.#hear(index, child, message),
    });
    void child.ended.then((status) => this.#lost(index, child, status));
    return child;
  }

  /** A device that ended by itself is a fault, and started again: nobody waits for it for ever. */
  #lost(
    index: number,
    child: Child<FromDevice, ToDevice>,
    status: number | NodeJS.Signals | null,
  ): void {
    const post = this.#posts[index];
    if (post === undefined || post.child !== child || this.#meantToEnd.has(child)) return;
    this.#options.books.failed.push(`${post.device} ended with ${status}: ${child.printed()}`);
    post.child = this.#start(index, post.device);
  }

  #hear(
    index: number,
    child: Child<FromDevice, ToDevice>,
    message: Exclude<FromDevice, { kind: 'answer' }>,
  ): void {
    const post = this.#posts[index];
    if (post === undefined) return;
    const { books } = this.#options;
    const { device } = post;
    switch (message.kind) {
      case 'open':
        // What the last life may not have kept; what it did keep is the same message again.
        if (child === post.child) for (const meant of post.unheard.values()) this.#say(post, meant);
        return;
      case 'kept':
        this.#keep(post, message.serial);
        return;
      case 'untaken':
        post.unheard.delete(message.serial);
        books.untake(message.serial, message.why);
        return;
      case 'receipt':
        books.receipt({ ...message, device });
        return;
      case 'completed':
        books.complete({ ...message, device });
        return;
      case 'rejected':
    }
  }

  #keep(post: Post, serial: string): void {
    const meant = post.unheard.get(serial);
    post.unheard.delete(serial);
    this.#options.books.keep(serial);
    if (meant?.route === 'charges' && meant.refusal === undefined) post.booked.push(meant);
    // A conflict is tried with what was booked a while ago; the rest need not be remembered.
    if (post.booked.length > 50) post.booked.shift();
  }

  #say({ child }: Post, { serial, route, id, body }: Meant): void {
    child.tell({ kind: 'say', serial, route, id, body });
  }

  #draw(post: Post): Meant {
    const { chance } = this.#options;
    const { device } = post;
    const number = post.next++;
    const serial = `${device}/${number}`;
    const drawn = chance.below(100);
    const now = Date.now();
    post.lastAtMillis = Math.max(now, post.lastAtMillis + 1);
    const at = new Date(post.lastAtMillis).toISOString();
    const kWh = `${1 + chance.below(90)}.${String(chance.below(1_000)).padStart(3, '0')}`;
    const charge = { account: `a-${number % 5}`, kWh, at, serial };
    const common = { serial, device, refusal: undefined };
    if (drawn < BAD_PERCENT) return this.#drawBad(post, { ...common, charge, drawn, number });
    // Every device counts from 1: the same ids on all of them, and no two the same message.
    const id = `m-${number}`;
    if (drawn < BAD_PERCENT + CHARGES_PERCENT) {
      return { ...common, route: 'charges', id, body: charge };
    }
    if (drawn < BAD_PERCENT + CHARGES_PERCENT + EVENTS_PERCENT) {
      return { ...common, route: 'events', id, body: { type: 'opened', at, serial } };
    }
    return { ...common, route: 'status', id: undefined, body: { level: number % 7, at, serial } };
  }

  #drawBad(
    post: Post,
    bad: Pick<Meant, 'serial' | 'device'> & {
      readonly charge: Meant['body'];
      readonly drawn: number;
      readonly number: number;
    },
  ): Meant {
    const { serial, device, charge, drawn, number } = bad;
    const common = { serial, device, route: 'charges', id: `m-${number}` } as const;
    const [old] = post.booked;
    if (drawn === 0 && old !== undefined) {
      // Said before under this id with another body; the oldest that is remembered.
      return { ...common, id: old.id, body: charge, refusal: 'conflict' };
    }
    if (drawn === 1) {
      const body = { ...charge, at: '2020-01-01T00:00:00.000Z' };
      return { ...common, body, refusal: 'late' };
    }
    const { kWh: _, ...body } = charge;
    return { ...common, body, refusal: 'missing-amount' };
  }
}
