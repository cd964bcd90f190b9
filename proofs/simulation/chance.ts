/** The one source of chance of a schedule: everything random is drawn from its seed. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Chance {
  readonly #seed: number;
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#seed = seed;
    this.#generator = xoroshiro128plus(seed);
  }

  /** A source of its own: what others draw does not change what it gives. */
  named(name: string): Chance {
    return new Chance(mixed(this.#seed, name));
  }

  /** An integer; both ends may come. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** From 0 up to but not 1. */
  float(): number {
    return uniformInt(this.#generator, 0, 0xffff_ffff) / 0x1_0000_0000;
  }

  isHit(share: number): boolean {
    return this.float() < share;
  }

  /** Moves the items about, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(0, last);
      const [one, two] = [items[last], items[other]];
      if (one === undefined || two === undefined) continue;
      items[last] = two;
      items[other] = one;
    }
    return items;
  }
}

/** FNV-1a over the name, begun with the seed. */
function mixed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let n = 0; n < name.length; n++) {
    hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193) >>> 0;
  }
  return hash | 0;
}
