/** A handler's work that ends when the test says. */
import type { Bench } from './receiver-fixture.ts';

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
  /** Ends when the handler has been called so often. */
  reached(bench: Bench, calls: number): Promise<void>;
}

export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened,
    open: () => open(),
    reached: async ({ calls: made }, calls) => {
      while (made.length < calls) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
