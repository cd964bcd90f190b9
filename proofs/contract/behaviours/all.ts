/** Everything that is looked at, in the order of docs/engines.md. */
import type { Store } from '../../../tools/stores/engines.ts';
import { type Behaviour, Place } from './behaviour.ts';
import { capacityBehaviours } from './capacity.ts';
import { limitBehaviours } from './limits.ts';
import { queryBehaviours } from './queries.ts';
import { writeBehaviours } from './writes.ts';

export const behaviours: readonly Behaviour[] = [
  ...writeBehaviours,
  ...limitBehaviours,
  ...capacityBehaviours,
  ...queryBehaviours,
];

/** What an engine does, by title. */
export type Observations = ReadonlyMap<string, string>;

export async function observe(
  store: Pick<Store, 'client' | 'tables'>,
  looked: readonly Behaviour[] = behaviours,
): Promise<Observations> {
  const place = new Place(store);
  const seen = new Map<string, string>();
  for (const behaviour of looked) {
    try {
      seen.set(behaviour.title, await behaviour.observe(place));
    } catch (cause) {
      throw new Error(`while looking at "${behaviour.title}": ${String(cause)}`, { cause });
    }
  }
  return seen;
}
