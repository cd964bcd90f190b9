/** What the devices said, beside what the ledger holds. */
import type { Row } from './cloud-process.ts';
import type { Kind, Said } from './plan.ts';

export interface Findings {
  /** Serials that `publish` was called with. */
  readonly meant: number;
  /** Of them, those that a device said were on its disk. */
  readonly kept: number;
  readonly rows: number;
  /** Receipts that were looked up and found true. */
  readonly promises: number;
  /** Rows that a release has marked. */
  readonly released: number;
  readonly deviceKills: number;
  readonly cloudKills: number;
  readonly cuts: number;
  /** What must not be. */
  readonly faults: {
    /** Kept, and in no row. */
    readonly lost: readonly string[];
    /** In more than one row. */
    readonly doubled: readonly string[];
    /** In a row, and never meant. */
    readonly strange: readonly string[];
    /** Receipts that no row bore out at that moment. */
    readonly untrue: readonly string[];
    /** Calls that failed, and devices that did not end well. */
    readonly failed: readonly string[];
    /** Rows of completed ids without the mark of a release. */
    readonly unreleased: readonly string[];
  };
}

export class Ledgers {
  readonly untrue: string[] = [];
  readonly failed: string[] = [];
  promises = 0;
  deviceKills = 0;
  cloudKills = 0;
  readonly #called = new Set<string>();
  readonly #kept = new Set<string>();
  readonly #booked = new Set<string>();
  /** Ids told in rows, by `route#device`. */
  readonly #completed: { readonly pk: string; readonly id: string }[] = [];

  hear(device: string, said: Said): void {
    switch (said.kind) {
      case 'called':
        this.#called.add(said.serial);
        return;
      case 'kept':
        this.#kept.add(said.serial);
        return;
      case 'booked':
        this.#booked.add(said.serial);
        return;
      case 'completed':
        this.#completed.push({ pk: `${said.route}#${device}`, id: said.id });
        return;
      case 'failed':
        this.failed.push(`${device}: ${said.text}`);
        return;
      case 'receipt':
      case 'drained':
    }
  }

  /**
   * What a caller still has to say. One that names its messages says again what it has no answer
   * to; one that leaves that to the library says nothing twice, for it would be another message.
   */
  leftOf({ namesIds }: Kind): (serial: string) => boolean {
    return (serial) => !(namesIds ? this.#booked : this.#called).has(serial);
  }

  compare(rows: readonly Row[], cuts: number): Findings {
    const serials = rows.map((row) => String(JSON.parse(row.body?.S ?? '{}').serial));
    const booked = new Set(serials);
    const released = rows.filter((row) => row.releasedAt !== undefined);
    const names = new Set(released.map(({ pk, id }) => `${pk?.S} ${id?.S?.replace(/^seq:/, '')}`));
    return {
      meant: this.#called.size,
      kept: this.#kept.size,
      rows: rows.length,
      promises: this.promises,
      released: released.length,
      deviceKills: this.deviceKills,
      cloudKills: this.cloudKills,
      cuts,
      faults: {
        lost: [...this.#kept].filter((serial) => !booked.has(serial)),
        doubled: serials.filter((serial, at) => serials.indexOf(serial) !== at),
        strange: serials.filter((serial) => !this.#called.has(serial)),
        untrue: this.untrue,
        failed: this.failed,
        unreleased: this.#completed
          .map(({ pk, id }) => `${pk} ${id}`)
          .filter((name) => !names.has(name)),
      },
    };
  }
}
