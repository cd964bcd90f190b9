/**
 * The fleet of the console, at most one at a time, with its statistics. Owns both. Invariant: a new
 * run begins with new ones, only when the one before it has ended.
 */

import type { Clock } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { partitionOf } from '../../core/message/id.ts';
import { type FleetWish, WishError } from '../console/controls.ts';
import type { LedgerPages } from '../console/ledger-pages.ts';
import type { TableNews } from '../console/table-news.ts';
import type { Chance, Observer } from '../contracts.ts';
import { Fleet, type FleetStatus } from './fleet.ts';
import {
  type BookedRow,
  bookedRow,
  FleetStats,
  type Headline,
  type Reconciliation,
} from './stats.ts';

export interface FleetControllerOptions {
  /** What the fleet bills on, or why it cannot run. */
  readonly route: ExactlyOnceRoute | string;
  readonly host: string;
  readonly port: number;
  readonly ledger: LedgerPages;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly observe: Observer;
}

export interface FleetControllerStatus {
  /** Why the fleet cannot run; null when it can. */
  readonly obstacle: string | null;
  /** Null before the first run. */
  readonly fleet: FleetStatus | null;
  readonly headline: Headline | null;
}

export class FleetController {
  readonly #options: FleetControllerOptions;
  #fleet: Fleet | undefined;
  #stats: FleetStats | undefined;
  #reading: Promise<Reconciliation | undefined> | undefined;

  constructor(options: FleetControllerOptions) {
    this.#options = options;
  }

  readonly delivered = (body: Buffer): void => this.#stats?.delivered(body);
  readonly written = (news: TableNews): void => this.#stats?.written(news);

  status(): FleetControllerStatus {
    const { route } = this.#options;
    return {
      obstacle: typeof route === 'string' ? route : null,
      fleet: this.#fleet?.status() ?? null,
      headline: this.#stats?.headline() ?? null,
    };
  }

  /** @throws WishError when it cannot be met now */
  async fulfil(wish: FleetWish): Promise<FleetControllerStatus> {
    switch (wish.action) {
      case 'start':
        await this.#start(wish.plan);
        break;
      case 'stop':
        this.#fleet?.stop();
        break;
      case 'cut':
        this.#fleet?.cut(wish.cuts);
        break;
      case 'use-an-id-twice':
        if (this.#fleet?.useAnIdTwice() !== true) {
          throw new WishError('The fleet has to run, and one of its charges to have a receipt.');
        }
    }
    return this.status();
  }

  /** Reads the ledger's rows of this run; undefined before the first one. */
  reconcile(): Promise<Reconciliation | undefined> {
    // Pages that ask at the same time share one reading.
    this.#reading ??= this.#reconcile().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async close(): Promise<void> {
    await this.#fleet?.close();
  }

  async #start(plan: Parameters<Fleet['start']>[0]): Promise<void> {
    const { route } = this.#options;
    if (typeof route === 'string') throw new WishError(route);
    const state = this.#fleet?.status().state ?? 'idle';
    if (state !== 'idle')
      throw new WishError(`The fleet is ${state}; stop it, or wait for its end.`);
    const stats = new FleetStats(route.entry.unit);
    const fleet = new Fleet({ ...this.#options, route, meant: (charge) => stats.mean(charge) });
    this.#stats = stats;
    this.#fleet = fleet;
    try {
      await fleet.start(plan);
    } catch (error) {
      await fleet.close();
      throw error;
    }
  }

  async #reconcile(): Promise<Reconciliation | undefined> {
    const { route, ledger } = this.#options;
    const [fleet, stats] = [this.#fleet, this.#stats];
    if (fleet === undefined || stats === undefined || typeof route === 'string') return undefined;
    const rows: BookedRow[] = [];
    for (const device of fleet.status().devices) {
      for await (const item of ledger.rowsOf(partitionOf(route.name, device), `${fleet.run}-`)) {
        rows.push(bookedRow(item));
      }
    }
    return stats.reconcile(rows);
  }
}
