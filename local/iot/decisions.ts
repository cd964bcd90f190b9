/**
 * Remembers what policies have decided: functions, rules and devices ask for the same few things
 * again and again. Owns the decisions, by the documents that they follow from. Invariant: what has
 * been remembered is bounded for each, so that one who asks for thing after thing cannot fill the
 * memory. Documents are never changed: rights that change are other documents.
 */
export interface Decisions {
  /**
   * @param rights what the decision follows from; forgotten with it
   * @param key everything else that the decision depends on
   */
  of(rights: object, key: string, decide: () => boolean): boolean;
}

const DECISIONS_MAX = 10_000;
/** Longer than what any right of the template can be asked for. */
const KEY_LENGTH_MAX = 2_000;

export function createDecisions(): Decisions {
  const all = new WeakMap<object, Map<string, boolean>>();
  return {
    of(rights, key, decide) {
      if (key.length > KEY_LENGTH_MAX) return decide();
      let known = all.get(rights);
      if (known === undefined) {
        known = new Map();
        all.set(rights, known);
      }
      const before = known.get(key);
      if (before !== undefined) return before;
      const decision = decide();
      if (known.size >= DECISIONS_MAX) known.clear();
      known.set(key, decision);
      return decision;
    },
  };
}
