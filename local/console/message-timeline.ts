/**
 * What happened to each message since the start: deliveries, writes, forwards, receipts, release.
 * Owns the histories. Invariant: the longest untouched one is forgotten first, so that memory stays
 * bounded however many messages pass.
 */
import type { EpochMillis } from '../../core/base/time.ts';

type StepKind =
  | 'delivery'
  | 'fallback'
  | 'write'
  | 'copy'
  | 'refused'
  | 'quarantine'
  | 'forward'
  | 'receipt'
  | 'release';

export interface Step {
  readonly at: EpochMillis;
  readonly kind: StepKind;
  readonly text: string;
  readonly bodyHash: string | null;
}

export interface Life {
  readonly steps: readonly Step[];
  /** Steps that were forgotten, because there were too many. */
  readonly omitted: number;
}

interface GrowingLife {
  readonly steps: Step[];
  omitted: number;
  readonly hashes: Set<string>;
}

const LIVES_MAX = 5_000;
const STEPS_MAX = 200;
/** The first steps say how the message was booked; what is forgotten lies after them. */
const FIRST_STEPS = 20;
/** Bodies under one id that are remembered; a device that makes thousands is not followed. */
const HASHES_MAX = 50;

export class Lives {
  readonly #lives = new Map<string, GrowingLife>();
  readonly #byHash = new Map<string, string>();
  readonly #livesMax: number;

  constructor(livesMax: number = LIVES_MAX) {
    this.#livesMax = livesMax;
  }

  /** @param name one for each message, e.g. its key */
  add(name: string, step: Step): void {
    const life = this.#lives.get(name) ?? { steps: [], omitted: 0, hashes: new Set<string>() };
    // Put last again: the map's order is that of the last change.
    this.#lives.delete(name);
    this.#lives.set(name, life);
    life.steps.push(step);
    if (life.steps.length > STEPS_MAX) {
      life.steps.splice(FIRST_STEPS, 1);
      life.omitted += 1;
    }
    if (step.bodyHash !== null && life.hashes.size < HASHES_MAX) {
      life.hashes.add(step.bodyHash);
      this.#byHash.set(step.bodyHash, name);
    }
    if (this.#lives.size > this.#livesMax) this.#forgetOldest();
  }

  /** The message that a body belongs to. */
  nameOf(bodyHash: string): string | undefined {
    return this.#byHash.get(bodyHash);
  }

  get(name: string): Life | undefined {
    const life = this.#lives.get(name);
    return life && { steps: [...life.steps], omitted: life.omitted };
  }

  #forgetOldest(): void {
    const [oldest] = this.#lives;
    if (oldest === undefined) return;
    const [name, { hashes }] = oldest;
    this.#lives.delete(name);
    for (const hash of hashes) if (this.#byHash.get(hash) === name) this.#byHash.delete(hash);
  }
}

/** One name for a message, by which its life is kept. */
export function lifeName({ pk, id }: { readonly pk: string; readonly id: string }): string {
  return JSON.stringify([pk, id]);
}

/** The same where the id could not be read. */
export function hashName(bodyHash: string): string {
  return `body ${bodyHash}`;
}
