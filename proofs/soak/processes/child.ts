/** A process of the soak, as the run holds it: asked by messages, ended by its handle. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Deadline } from '../waiting.ts';

export interface ChildOptions<From> {
  readonly file: string;
  /** No question is open for longer. */
  readonly deadline: Deadline;
  readonly orders?: object;
  /** Loaders for what is not bundled. */
  readonly execArgv?: readonly string[];
  readonly hear: (message: Exclude<From, { kind: 'answer' }>) => void;
}

interface Answer {
  readonly kind: 'answer';
  readonly ask: number;
  readonly value: unknown;
}

/** Rejects what was asked of a process that has ended. */
class EndedError extends Error {
  override readonly name = 'EndedError';
}

/** Does what asks processes; one that ends meanwhile is no failure. */
export async function unlessEnded(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof EndedError)) throw error;
  }
}

export class Child<From extends { readonly kind: string }, To extends object> {
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly #process: ChildProcess;
  readonly #deadline: Deadline;
  readonly #waiting = new Map<number, (answer: unknown, error?: Error) => void>();
  #asked = 0;
  #printed = '';
  #isOver = false;

  constructor({ file, deadline, orders = {}, execArgv = [], hear }: ChildOptions<From>) {
    this.#deadline = deadline;
    this.#process = fork(file, [JSON.stringify(orders)], {
      execArgv: ['--expose-gc', ...execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in a terminal is for the run, which ends its processes itself.
      detached: true,
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      // The end of it is what a failure is read from.
      this.#printed = (this.#printed + chunk.toString()).slice(-4_000);
    });
    this.#process.on('message', (message) => {
      if (isAnswer(message)) this.#waiting.get(message.ask)?.(message.value);
      else hear(message as Exclude<From, { kind: 'answer' }>);
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('close', (status, signal) => {
        this.#isOver = true;
        const error = new EndedError(`the process ended with ${status ?? signal}`);
        for (const settle of [...this.#waiting.values()]) settle(undefined, error);
        resolve(status ?? signal);
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The last that it printed to standard error. */
  printed(): string {
    return this.#printed;
  }

  tell(message: To): void {
    // A process that is being ended hears no more, which its end says.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** @throws EndedError; Error where no answer comes before the deadline */
  ask<Value>(message: object): Promise<Value> {
    if (this.#isOver) return Promise.reject(new EndedError('the process has ended'));
    const ask = ++this.#asked;
    const answer = new Promise<Value>((resolve, reject) => {
      this.#waiting.set(ask, (value, error) => {
        if (error === undefined) resolve(value as Value);
        else reject(error);
      });
      this.tell({ ...message, ask } as unknown as To);
    });
    const what = `process ${this.pid} answers ${JSON.stringify(message)}`;
    return this.#deadline.settled(what, answer).finally(() => this.#waiting.delete(ask));
  }

  /** @throws Error where it goes on running until the deadline */
  end(): Promise<number | NodeJS.Signals | null> {
    return this.#deadline.settled(`process ${this.pid} ends`, this.ended);
  }

  kill(): Promise<number | NodeJS.Signals | null> {
    this.#process.kill('SIGKILL');
    return this.ended;
  }
}

function isAnswer(message: unknown): message is Answer {
  return (
    typeof message === 'object' && message !== null && Reflect.get(message, 'kind') === 'answer'
  );
}
