/**
 * One execution environment of a function: a child process that holds the function's bundle.
 *
 * Owns the child. Keeps these invariants: one invocation at a time; every invocation ends in one
 * outcome, also when the child is killed or ends by itself; nothing of this process's environment
 * is visible in the child; a child that timed out or failed to load is never used again.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { InvocationOutcome } from './outcome.ts';

export interface ExecutionEnvironmentOptions {
  readonly folder: string;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  /** Told once, when the child has ended. */
  readonly onExit: () => void;
}

/** What a handler finds in its context, functions aside. */
export type InvocationContext = Readonly<Record<string, string>>;

const hostFile = fileURLToPath(new URL('./function-host.mjs', import.meta.url));

/**
 * Lambda allows 10 s before the first event. This machine may be busy with many children at once,
 * so more is allowed here; it bounds a bundle that never finishes loading.
 */
const initMillis = 60_000;

const hostMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('done'), resultText: z.string() }),
  z.object({ kind: z.literal('failed'), errorType: z.string(), message: z.string() }),
]);
type Reply =
  | z.infer<typeof hostMessage>
  | { readonly kind: 'crash' }
  | { readonly kind: 'time-out' };

export class ExecutionEnvironment {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #state: 'new' | 'ready' | 'ended' = 'new';
  #answer: ((reply: Reply) => void) | undefined;

  constructor(options: ExecutionEnvironmentOptions) {
    this.#child = fork(hostFile, [], {
      cwd: options.folder,
      env: options.environment,
      // Said in full, or the parent's own flags (a loader, an inspector) would be handed down.
      execArgv: [`--max-old-space-size=${options.memoryMegabytes}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    readLines(this.#child.stdout, options.onLine);
    readLines(this.#child.stderr, options.onLine);
    this.#child.on('message', (message) => this.#reply(hostMessage.parse(message)));
    this.#exited = new Promise((resolve) => {
      const ended = (): void => {
        if (this.#state === 'ended') return;
        this.#state = 'ended';
        this.#reply({ kind: 'crash' });
        options.onExit();
        resolve();
      };
      this.#child.once('exit', ended);
      // A child that cannot be started has no exit.
      this.#child.once('error', ended);
    });
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Runs one event. The first one also waits for the bundle to load. */
  async run(
    event: unknown,
    context: InvocationContext,
    timeoutMillis: number,
  ): Promise<InvocationOutcome> {
    if (this.#state === 'new') {
      const loaded = await this.#next(initMillis);
      if (loaded.kind !== 'ready') return this.#discard(loaded);
      this.#state = 'ready';
    }
    const reply = this.#next(timeoutMillis);
    if (this.#child.connected) {
      // A failing send is followed by the exit, which is the answer.
      this.#child.send({ kind: 'invoke', event, context, timeoutMillis }, () => undefined);
    }
    const answer = await reply;
    if (answer.kind === 'time-out') return this.#discard(answer);
    return outcomeOf(answer);
  }

  /** Ends the child at once; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#state !== 'ended') this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #discard(reply: Reply): Promise<InvocationOutcome> {
    await this.kill();
    return outcomeOf(reply);
  }

  #next(millis: number): Promise<Reply> {
    if (this.#state === 'ended') return Promise.resolve({ kind: 'crash' });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#reply({ kind: 'time-out' }), millis);
      this.#answer = (reply) => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(reply);
      };
    });
  }

  #reply(reply: Reply): void {
    this.#answer?.(reply);
  }
}

function outcomeOf(reply: Reply): InvocationOutcome {
  switch (reply.kind) {
    case 'done':
      return { kind: 'ok', result: JSON.parse(reply.resultText) };
    case 'failed':
      return { kind: 'error', errorType: reply.errorType, message: reply.message };
    case 'ready':
    case 'crash':
      return { kind: 'crash' };
    case 'time-out':
      return { kind: 'time-out' };
  }
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine);
}
