/**
 * The functions: the real handlers on the real adapters, each invocation a process that can end at
 * any of its calls. What a dead process has sent out still lands; it hears and does nothing more.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { DEADLINE_RESERVE_MILLIS, FUNCTION_TIMEOUT_SECONDS } from '../../../core/base/limits.ts';
import { type Clock, epochMillis } from '../../../core/base/time.ts';
import type { Route } from '../../../core/config/route.ts';
import { deduplicatedDeduplicator } from '../../../core/guarantees/deduplicated/deduplicator.ts';
import type { Deduplicator } from '../../../core/guarantees/deduplicator.ts';
import { exactlyOnceDeduplicator } from '../../../core/guarantees/exactly-once/deduplicator.ts';
import { latestDeduplicator } from '../../../core/guarantees/latest/deduplicator.ts';
import type { Telemetry } from '../../../core/tables/ports.ts';
import { handshakeRouteOf } from '../../../core/wire/handshake-route.ts';
import { createDataPlane } from '../../../lambda/adapters/data-plane.ts';
import { createDedupRecordsTable } from '../../../lambda/adapters/deduplicated.ts';
import { createLedgerTable } from '../../../lambda/adapters/exactly-once.ts';
import { createStateTable } from '../../../lambda/adapters/latest.ts';
import {
  createFindings,
  createQuarantineTable,
} from '../../../lambda/adapters/quarantine-table.ts';
import {
  createDedupRecordsReleases,
  createLedgerReleases,
} from '../../../lambda/adapters/releases.ts';
import { createHandler as createHandshake } from '../../../lambda/handshake/handler.ts';
import { createHandler as createIngest } from '../../../lambda/ingest/handler.ts';
import type { Invocation as Remaining } from '../../../lambda/runtime/invocation.ts';
import { routes } from '../routes.ts';
import { errorNamed, never, type Shared } from './shared.ts';
import type { StoreCommand, Tables } from './tables.ts';

export type Outcome =
  | { readonly kind: 'answered'; readonly failed: ReadonlySet<string> }
  | { readonly kind: 'failed' };

/** What the broker is given to publish. */
export interface BridgePublication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly userProperties: readonly (readonly [name: string, value: string])[];
  readonly invocation: number;
}

const SILENT: Telemetry = { count: () => {}, note: () => {}, flush: () => {} };
const TIMEOUT_MILLIS = FUNCTION_TIMEOUT_SECONDS * 1_000;
/** The function's clock and the rule's are two. */
const CLOCKS_APART_MILLIS_MAX = 300;

export class Functions {
  readonly #shared: Shared;
  readonly #tables: Tables;
  readonly #publish: (publication: BridgePublication) => void;
  readonly #skew: number;
  #invocations = 0;

  constructor(shared: Shared, tables: Tables, publish: (publication: BridgePublication) => void) {
    this.#shared = shared;
    this.#tables = tables;
    this.#publish = publish;
    this.#skew = shared.chance.int(-CLOCKS_APART_MILLIS_MAX, CLOCKS_APART_MILLIS_MAX);
  }

  /** The function's clock. */
  readonly clock: Clock = () => epochMillis(this.#shared.clock() + this.#skew);

  /** A name for the next invocation. */
  next(): number {
    return this.#invocations++;
  }

  ingest(route: Route, event: unknown, invocation: number, devices: number): Promise<Outcome> {
    const process = new Process(this.#shared, this.#tables, this.#publish, invocation, devices);
    const handler = createIngest({
      route,
      deduplicator: deduplicatorOf(route, process.dynamodb, this.clock),
      quarantine: createQuarantineTable(process.dynamodb, 'quarantine', this.clock),
      publisher: createDataPlane(process.dataPlane),
      telemetry: SILENT,
      clock: this.clock,
    });
    const isTimeless = this.#shared.faults.strike('no-time-left') !== undefined;
    const allowed = isTimeless ? DEADLINE_RESERVE_MILLIS : TIMEOUT_MILLIS;
    return process.run(allowed, async (context) => {
      const answer = await handler(event, context);
      return new Set((answer?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
    });
  }

  handshake(event: unknown, invocation: number): Promise<Outcome> {
    const process = new Process(this.#shared, this.#tables, this.#publish, invocation, 1);
    const handler = createHandshake({
      routes: new Map(
        [...routes.values()].map((route) => [
          route.name,
          { route: handshakeRouteOf(route), telemetry: SILENT },
        ]),
      ),
      ledger: createLedgerReleases(process.dynamodb, 'ledger'),
      dedupRecords: createDedupRecordsReleases(process.dynamodb, 'dedupRecords'),
      findings: createFindings(process.dynamodb, 'quarantine'),
      publisher: createDataPlane(process.dataPlane),
      telemetry: SILENT,
      clock: this.clock,
    });
    return process.run(TIMEOUT_MILLIS, async (context) => {
      await handler(event, context);
      return new Set();
    });
  }
}

function deduplicatorOf(route: Route, dynamodb: DynamoDBClient, clock: Clock): Deduplicator {
  switch (route.guarantee) {
    case 'exactly-once':
      return exactlyOnceDeduplicator(route, createLedgerTable(dynamodb, 'ledger'), clock);
    case 'deduplicated':
      return deduplicatedDeduplicator(
        route,
        createDedupRecordsTable(dynamodb, 'dedupRecords'),
        clock,
      );
    case 'latest':
      return latestDeduplicator(route, createStateTable(dynamodb, 'state'), clock);
  }
}

/** One invocation's process, from its start to its answer, its death or its time-out. */
class Process {
  readonly dynamodb: DynamoDBClient;
  readonly dataPlane: IoTDataPlaneClient;
  readonly #shared: Shared;
  readonly #tables: Tables;
  readonly #publish: (publication: BridgePublication) => void;
  readonly #invocation: number;
  /** How many of them can be answered by this batch. */
  readonly #devices: number;
  #isAlive = true;
  #receiptsOut = 0;
  #die: () => void = () => {};

  constructor(
    shared: Shared,
    tables: Tables,
    publish: (publication: BridgePublication) => void,
    invocation: number,
    devices: number,
  ) {
    this.#shared = shared;
    this.#tables = tables;
    this.#publish = publish;
    this.#invocation = invocation;
    this.#devices = devices;
    const store = { send: (command: StoreCommand) => this.#store(command) };
    const broker = { send: (command: PublishCommand) => this.#send(command) };
    this.dynamodb = store as unknown as DynamoDBClient;
    this.dataPlane = broker as unknown as IoTDataPlaneClient;
  }

  run(
    remaining: number,
    work: (context: Remaining) => Promise<ReadonlySet<string>>,
  ): Promise<Outcome> {
    const { clockwork, chance } = this.#shared;
    return new Promise((resolve) => {
      this.#die = () => {
        this.#isAlive = false;
        resolve({ kind: 'failed' });
      };
      const until = clockwork.now + remaining;
      const cancel = clockwork.after(remaining, this.#die);
      const ended = (outcome: Outcome) => {
        cancel();
        // A frozen process may be thawed for the next event, and then goes on where it was.
        if (chance.isHit(0.5)) this.#isAlive = false;
        resolve(outcome);
      };
      work({
        awsRequestId: `request-${this.#invocation}`,
        getRemainingTimeInMillis: () => until - clockwork.now,
      }).then(
        (failed) => ended({ kind: 'answered', failed }),
        () => ended({ kind: 'failed' }),
      );
    });
  }

  async #store(command: StoreCommand): Promise<object> {
    const { clockwork, chance, faults } = this.#shared;
    if (!this.#isAlive) return never();
    const isWrite = !(command instanceof GetItemCommand);
    if (isWrite && faults.strike('crash-before-write') !== undefined) {
      this.#die();
      return never();
    }
    const slow = isWrite ? faults.strike('write-slow') : undefined;
    await clockwork.wait(slow === undefined ? chance.int(1, 40) : 27_000 + slow * 60);
    const answer = await this.#landed(command, isWrite);
    await clockwork.wait(chance.int(1, 20));
    if (!this.#isAlive) return never();
    if (answer.kind === 'thrown') throw answer.error;
    return answer.output;
  }

  async #landed(command: StoreCommand, isWrite: boolean): Promise<Answer> {
    const { clockwork, chance, faults } = this.#shared;
    if (faults.strike('store-throttled') !== undefined) {
      return { kind: 'thrown', error: errorNamed('ThrottlingException') };
    }
    const answer = this.#try(command);
    if (!isWrite || answer.kind === 'thrown') return answer;
    if (faults.strike('crash-after-write') !== undefined) this.#die();
    if (faults.strike('answer-lost') !== undefined) {
      return { kind: 'thrown', error: errorNamed('TimeoutError') };
    }
    if (faults.strike('answer-lost-retried') === undefined) return answer;
    await clockwork.wait(chance.int(50, 2_000));
    return this.#isAlive ? this.#try(command) : answer;
  }

  #try(command: StoreCommand): Answer {
    try {
      return { kind: 'output', output: this.#tables.answer(command, this.#invocation) };
    } catch (error) {
      return { kind: 'thrown', error };
    }
  }

  #send(command: PublishCommand): Promise<object> {
    if (!this.#isAlive) return never();
    const { topic = '', payload, userProperties } = command.input;
    const pairs: Record<string, string>[] = JSON.parse(String(userProperties ?? '[]'));
    const publication: BridgePublication = {
      topic,
      payload: Buffer.from(payload as Uint8Array),
      userProperties: pairs.flatMap((pair) => Object.entries(pair)),
      invocation: this.#invocation,
    };
    const isReceipt = topic.startsWith('tollbridge/');
    return isReceipt ? this.#sendReceipts(publication) : this.#sendForward(publication);
  }

  async #sendForward(publication: BridgePublication): Promise<object> {
    const { clockwork, chance, faults } = this.#shared;
    await clockwork.wait(chance.int(1, 30));
    if (faults.strike('forward-throttled') !== undefined) throw errorNamed('ThrottlingException');
    if (faults.strike('forward-refused') !== undefined) {
      throw errorNamed('InvalidRequestException');
    }
    this.#publish(publication);
    if (faults.strike('crash-after-forward') !== undefined) this.#die();
    await clockwork.wait(chance.int(1, 10));
    if (!this.#isAlive) return never();
    if (faults.strike('forward-answer-lost') !== undefined) throw errorNamed('TimeoutError');
    return {};
  }

  async #sendReceipts(publication: BridgePublication): Promise<object> {
    const { clockwork, chance, faults } = this.#shared;
    await clockwork.wait(chance.int(1, 30));
    // What a process that has died had not sent yet stays unsent.
    if (!this.#isAlive) return never();
    if (faults.strike('receipt-throttled') !== undefined) throw errorNamed('ThrottlingException');
    this.#publish(publication);
    this.#receiptsOut++;
    const isBetween = this.#receiptsOut < this.#devices;
    if (isBetween && faults.strike('crash-between-receipts') !== undefined) this.#die();
    await clockwork.wait(chance.int(1, 10));
    return this.#isAlive ? {} : never();
  }
}

type Answer =
  | { readonly kind: 'output'; readonly output: object }
  | { readonly kind: 'thrown'; readonly error: unknown };
