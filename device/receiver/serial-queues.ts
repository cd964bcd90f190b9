/** Work by topic: what has the same topic runs one after the other, in the order it was given. */
export class SerialQueues {
  readonly #ends = new Map<string, Promise<unknown>>();

  /** Runs the task after those of the same topic, whatever became of them. */
  run<T>(topic: string, task: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(topic) ?? Promise.resolve();
    const result = before.then(task, task);
    const end = result
      .catch(() => {})
      .then(() => {
        if (this.#ends.get(topic) === end) this.#ends.delete(topic);
      });
    this.#ends.set(topic, end);
    return result;
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }
}
