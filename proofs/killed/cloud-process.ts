/**
 * The local cloud as a process, with its tables on disk and every fault on. It is killed and
 * started again on the same ports; who asks it meanwhile waits.
 */
import { join } from 'node:path';
import {
  type AttributeValue,
  GetItemCommand,
  ListTablesCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { localDynamoDB } from '../../cli/access/local-tables.ts';
import type { MessageKey } from '../../core/message/id.ts';
import { freePort, type Program, startTollbridge } from '../../tools/programs.ts';

export type Row = Readonly<Record<string, AttributeValue>>;

const FAULTS = {
  duplicate: 0.05,
  reorder: 0.2,
  drop: 0.1,
  'fail-action': 0.02,
  'crash-before-write': 0.005,
  'crash-after-write': 0.01,
  'lose-answer': 0.01,
  throttle: 0.02,
} as const;
/** A redelivery after a second and a half instead of three minutes. */
const SPEED = 120;

export class CloudProcess {
  readonly mqttPort: number;
  readonly #apiPort: number;
  readonly #assembly: string;
  readonly #folder: string;
  readonly #seed: number;
  readonly #client;
  #program: Promise<Program>;
  #ledgerName: Promise<string> | undefined;
  #lives = 0;
  #isEnded = false;

  private constructor(assembly: string, folder: string, seed: number, ports: readonly number[]) {
    [this.mqttPort = 0, this.#apiPort = 0] = ports;
    this.#assembly = assembly;
    this.#folder = folder;
    this.#seed = seed;
    this.#client = localDynamoDB(`http://127.0.0.1:${this.#apiPort}`);
    this.#program = this.#start();
  }

  static async start(assembly: string, folder: string, seed: number): Promise<CloudProcess> {
    const cloud = new CloudProcess(assembly, folder, seed, [await freePort(), await freePort()]);
    await cloud.#program;
    await cloud.#ledger();
    return cloud;
  }

  /** Ends it with SIGKILL and starts it again with the tables that it leaves behind. */
  async kill(): Promise<void> {
    const program = await this.#program;
    this.#program = program.end('SIGKILL').then(() => this.#start());
    await this.#program;
  }

  /** A row of the ledger as it stands now, or as soon as there is a cloud to ask. */
  row({ pk, id }: MessageKey): Promise<Row | undefined> {
    return this.#asked(async () => {
      const { Item } = await this.#client.send(
        new GetItemCommand({
          TableName: await this.#ledger(),
          Key: { pk: { S: pk }, id: { S: id } },
          ConsistentRead: true,
        }),
      );
      return Item;
    });
  }

  rows(): Promise<readonly Row[]> {
    return this.#asked(async () => {
      const rows: Row[] = [];
      const query = { TableName: await this.#ledger(), ConsistentRead: true };
      for await (const page of paginateScan({ client: this.#client }, query)) {
        rows.push(...(page.Items ?? []));
      }
      return rows;
    });
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#client.destroy();
    await (await this.#program).end('SIGKILL');
  }

  async #start(): Promise<Program> {
    const flags = {
      assembly: this.#assembly,
      data: join(this.#folder, 'tables'),
      port: this.mqttPort,
      'api-port': this.#apiPort,
      seed: this.#seed + this.#lives++,
      speed: SPEED,
      ...FAULTS,
    };
    const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const program = startTollbridge(...words);
    await program.prints(/Ctrl-C stops it/);
    return program;
  }

  /** Asks again where the cloud was killed before it had answered. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      const program = this.#program;
      await program;
      try {
        return await ask();
      } catch (error) {
        if (this.#isEnded || this.#program === program) throw error;
      }
    }
  }

  /** Asked once: it stands in the template. */
  #ledger(): Promise<string> {
    this.#ledgerName ??= this.#askLedger();
    return this.#ledgerName;
  }

  async #askLedger(): Promise<string> {
    const { TableNames = [] } = await this.#client.send(new ListTablesCommand({}));
    const name = TableNames.find((each) => each.includes('Ledger'));
    if (name === undefined) throw new Error(`no ledger among ${TableNames.join(', ')}`);
    return name;
  }
}
