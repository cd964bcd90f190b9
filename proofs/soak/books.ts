/** What was meant and said, beside what the tables and the receiver hold in the end. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { sameDecimal } from '../../core/base/decimal.ts';
import type { Meant } from './plan.ts';

export type Row = Readonly<Record<string, AttributeValue>>;

export interface Tables {
  readonly ledger: readonly Row[];
  readonly dedupRecords: readonly Row[];
  readonly state: readonly Row[];
  readonly quarantine: readonly Row[];
  /** How often the effect of each forward happened, by its id. */
  readonly effects: ReadonlyMap<string, number>;
}

/** What must not be; each list names what it found. */
export interface Differences {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly strange: readonly string[];
  /** Booked with another amount than was meant. */
  readonly wrong: readonly string[];
  /** Values of a topic that are not its newest. */
  readonly stale: readonly string[];
  readonly unexplained: readonly string[];
  /** Refused messages that no quarantine row holds. */
  readonly unkept: readonly string[];
  readonly untrue: readonly string[];
  readonly unreleased: readonly string[];
  readonly unforwarded: readonly string[];
  readonly repeatedEffects: readonly string[];
  readonly strangeEffects: readonly string[];
}

interface Told {
  readonly route: string;
  readonly device: string;
  readonly id: string;
}

export class Books {
  readonly #meant = new Map<string, Meant>();
  readonly #kept = new Set<string>();
  readonly #untaken = new Map<string, string>();
  readonly #receipts: (Told & { readonly bookedAt: number })[] = [];
  readonly #completed: Told[] = [];
  /** What went wrong at once, in words. */
  readonly failed: string[] = [];

  mean(meant: Meant): void {
    this.#meant.set(meant.serial, meant);
  }

  keep(serial: string): void {
    this.#kept.add(serial);
  }

  isKept(serial: string): boolean {
    return this.#kept.has(serial) || this.#untaken.has(serial);
  }

  /** Only a conflict with what the device still holds may be refused by the device itself. */
  untake(serial: string, why: string): void {
    this.#untaken.set(serial, why);
    if (this.#meant.get(serial)?.refusal !== 'conflict') this.failed.push(`${serial}: ${why}`);
  }

  receipt(receipt: Told & { readonly bookedAt: number }): void {
    this.#receipts.push(receipt);
  }

  complete(completed: Told): void {
    this.#completed.push(completed);
  }

  get figures() {
    const kept = [...this.#kept].flatMap((serial) => this.#meant.get(serial) ?? []);
    return {
      meant: this.#meant.size,
      kept: kept.length,
      refusals: kept.filter(({ refusal }) => refusal !== undefined).length,
      receipts: this.#receipts.length,
      completed: this.#completed.length,
    };
  }

  compare(tables: Tables): Differences {
    const kept = [...this.#kept].flatMap((serial) => this.#meant.get(serial) ?? []);
    const booked = [...tables.ledger, ...tables.dedupRecords];
    const serials = booked.map(serialOf);
    const seen = new Set(serials);
    const good = kept.filter(({ refusal, route }) => !refusal && route !== 'status');
    return {
      lost: good.filter(({ serial }) => !seen.has(serial)).map(({ serial }) => serial),
      doubled: repeatsOf(serials),
      strange: serials.filter((serial) => !this.#isMeantWell(serial)),
      wrong: tables.ledger.filter((row) => !this.#isRight(row)).map(serialOf),
      stale: this.#notNewest(kept, tables.state),
      unexplained: this.#unexplained(tables.quarantine),
      unkept: unkeptIn(kept, tables.quarantine),
      untrue: this.#untrue(booked),
      unreleased: this.#unreleased(booked),
      unforwarded: unforwardedIn(tables),
      repeatedEffects: [...tables.effects].flatMap(([id, count]) => (count === 1 ? [] : [id])),
      strangeEffects: this.#strangeEffects(tables),
    };
  }

  #isMeantWell(serial: string): boolean {
    const meant = this.#meant.get(serial);
    return meant !== undefined && meant.refusal === undefined;
  }

  #isRight(row: Row): boolean {
    const meant = this.#meant.get(serialOf(row));
    return meant !== undefined && sameDecimal(String(meant.body.kWh), row.amount?.N ?? '0');
  }

  /** The newest value that a device has kept is the one that stands. */
  #notNewest(kept: readonly Meant[], state: readonly Row[]): readonly string[] {
    const newest = new Map<string, Meant>();
    for (const meant of kept) {
      const before = newest.get(meant.device);
      const isNewer = before === undefined || String(meant.body.at) > String(before.body.at);
      if (meant.route === 'status' && isNewer) newest.set(meant.device, meant);
    }
    const standing = new Map(state.map((row) => [row.pk?.S ?? '', serialOf(row)]));
    return [...newest.values()].flatMap(({ device, serial }) =>
      standing.get(device) === serial
        ? []
        : [`${device}: ${serial} is newest, ${standing.get(device)} stands`],
    );
  }

  #unexplained(quarantine: readonly Row[]): readonly string[] {
    return quarantine.flatMap((row) => {
      const meant = this.#meant.get(serialOf(row));
      const reason = row.reason?.S ?? '';
      return meant?.refusal === reason ? [] : [`${serialOf(row)}: ${reason}`];
    });
  }

  /** A receipt says when the row was booked, and the row bears it out (I3). */
  #untrue(booked: readonly Row[]): readonly string[] {
    const times = new Map(booked.map((row) => [nameOf(row), row.bookedAtMillis?.N]));
    return this.#receipts.flatMap(({ route, device, id, bookedAt }) => {
      const name = `${route}#${device} ${id}`;
      // Of a topic's newest value, the row is another's soon.
      return route === 'status' || times.get(name) === String(bookedAt) ? [] : [name];
    });
  }

  #unreleased(booked: readonly Row[]): readonly string[] {
    const released = new Set(
      booked.filter(({ releasedAt }) => releasedAt !== undefined).map(nameOf),
    );
    const names = this.#completed.map(({ route, device, id }) => `${route}#${device} ${id}`);
    return names.filter((name) => !released.has(name));
  }

  /** A forward of what is not booked; of a topic's values, each that was meant may have gone out. */
  #strangeEffects({ ledger, dedupRecords, effects }: Tables): readonly string[] {
    const values = [...this.#meant.values()]
      .filter(({ route }) => route === 'status')
      .map(({ device, body }) => statusForward(device, Date.parse(String(body.at))));
    const known = new Set([...ledger.map(forwardIn), ...dedupRecords.map(forwardIn), ...values]);
    return [...effects.keys()].filter((id) => !known.has(id));
  }
}

function nameOf(row: Row): string {
  return `${row.pk?.S} ${row.id?.S}`;
}

function serialOf(row: Row): string {
  const text = row.body?.S ?? '{}';
  return String((JSON.parse(text) as { serial?: string }).serial);
}

function repeatsOf(serials: readonly string[]): readonly string[] {
  const once = new Set<string>();
  return serials.filter((serial) => once.has(serial) || !once.add(serial));
}

function unkeptIn(kept: readonly Meant[], quarantine: readonly Row[]): readonly string[] {
  const there = new Set(quarantine.map(serialOf));
  return kept
    .filter(({ refusal, serial }) => refusal !== undefined && !there.has(serial))
    .map(({ serial }) => serial);
}

/** The id under which a row's forward goes out. */
function forwardIn(row: Row): string {
  const key = `${row.pk?.S}#${row.id?.S}`;
  if (row.version !== undefined) {
    return statusForward(row.pk?.S ?? '', Number(row.version.N));
  }
  return row.windowEndsAtMillis === undefined ? key : `${key}#${row.firstDeliveryId?.S}`;
}

function statusForward(device: string, version: number): string {
  return `status#${device}#status/${device}#${version}`;
}

/** Rows whose forward has had no effect, those of the newest values among them. */
export function unforwarded({ ledger, dedupRecords, state, effects }: Tables): readonly Row[] {
  return [...ledger, ...dedupRecords, ...state].filter((row) => !effects.has(forwardIn(row)));
}

function unforwardedIn(tables: Tables): readonly string[] {
  return unforwarded(tables).map(forwardIn);
}

/** How many differences there are in all. */
export function countOf(differences: Differences): number {
  return Object.values(differences).reduce((sum, found) => sum + found.length, 0);
}
