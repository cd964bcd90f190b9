/**
 * One observer for several listeners: the cloud is told of one, and whoever watches joins here, also
 * before the cloud has started. Owns the list of listeners. Invariant: a listener that throws ends
 * neither the cloud nor the others; it is left out from then on, and `failed` is told why.
 */
import type { Observer } from './contracts.ts';

export interface EventFeed {
  /** For the cloud's `observe`. */
  readonly observe: Observer;
  /** Tells of every event from now on; gives back how to stop that. */
  listen(listener: Observer): () => void;
}

export function createEventFeed(failed: (error: unknown) => void): EventFeed {
  const listeners = new Set<Observer>();
  return {
    observe(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          listeners.delete(listener);
          failed(error);
        }
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
