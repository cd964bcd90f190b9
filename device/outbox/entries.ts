/**
 * The entries of the outbox, found by id and by hash. Each route has maps of its own, for a name
 * made of route and id would be held once more for each of a hundred thousand.
 */
import { encodeId, type MessageId } from '../../core/message/id.ts';
import type { Entry } from './entry.ts';

/** By the encoded id (the number 1 and the text "1" are two), and by the hash. */
interface Found {
  readonly byId: Map<string, Entry>;
  readonly byHash: Map<string, Entry>;
}

export class Entries {
  readonly #routes = new Map<string, Found>();

  get size(): number {
    let size = 0;
    for (const { byId } of this.#routes.values()) size += byId.size;
    return size;
  }

  byId(route: string, id: MessageId): Entry | undefined {
    return this.#routes.get(route)?.byId.get(encodeId(id));
  }

  byHash(route: string, hash: string): Entry | undefined {
    return this.#routes.get(route)?.byHash.get(hash);
  }

  /** Of all routes, in the order in which they were published. */
  inOrder(): readonly Entry[] {
    const all = [...this.#routes.values()].flatMap(({ byId }) => [...byId.values()]);
    return all.sort((one, other) => one.record.serial - other.record.serial);
  }

  add(entry: Entry): void {
    const { route, id, hash } = entry.record;
    let found = this.#routes.get(route);
    if (found === undefined) {
      found = { byId: new Map(), byHash: new Map() };
      this.#routes.set(route, found);
    }
    found.byId.set(encodeId(id), entry);
    found.byHash.set(hash, entry);
  }

  remove({ record: { route, id, hash } }: Entry): void {
    const found = this.#routes.get(route);
    found?.byId.delete(encodeId(id));
    found?.byHash.delete(hash);
  }
}
