/**
 * A promise that is settled from outside, of whose failure nobody has to know. A hundred thousand
 * may wait in an outbox, so nothing is held for each but the promise and what settles it.
 */
export class Deferred<T> {
  readonly promise: Promise<T>;
  #resolve: ((value: T) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: T): void {
    this.#resolve?.(value);
  }

  reject(error: Error): void {
    // Whoever awaits it still sees the failure; whoever does not, does not end the process.
    this.promise.catch(() => {});
    this.#reject?.(error);
  }
}
