/**
 * A proxy before a DynamoDB engine that charges for each request as AWS would: it reads the item
 * before and after, and computes the units. Clients are the real ones; they are given its address.
 *
 * Owns the server and the record. Keeps these invariants: requests are taken one after another, so
 * that nothing changes between the two reads; an operation that it cannot charge for is refused by
 * name. Where dynalite is less than DynamoDB, it fills in: the old item of a failed condition, and
 * transactions (`transactions.ts`).
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TableShape } from '../../cli/cost/units.ts';
import { type Body, type Charged, chargeRead, chargeWrite, type Write } from './charge.ts';
import { type Answer, type Engine, openEngine } from './engine.ts';
import { chargeByEngine, chargeInTurn } from './transactions.ts';

/** Who carries transactions out: the engine, or the recorder, one action after another. */
export type Transactions = 'by the engine' | 'in turn';

export interface Recorder {
  readonly url: string;
  /** What was charged since the last call. */
  take(): readonly Charged[];
  shapeOf(table: string): Promise<TableShape>;
  close(): Promise<void>;
}

/**
 * @param engineUrl of dynalite or DynamoDB Local
 * @param transactions who carries them out; dynalite cannot
 */
export async function startRecorder(
  engineUrl: string,
  transactions: Transactions = 'in turn',
): Promise<Recorder> {
  const engine = openEngine(engineUrl);
  let record: Charged[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const handled = turn.then(async () => {
      const operation = operationOf(request.headers);
      const sent = await text(request);
      const body = (operation === '' || sent === '' ? {} : JSON.parse(sent)) as Body;
      const { answer, charged } = await handle(engine, { operation, body }, transactions);
      if (charged !== undefined) record.push(charged);
      send(response, answer);
    });
    turn = handled.catch((error: unknown) => {
      send(response, { status: 500, body: { message: String(error) } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    take() {
      const taken = record;
      record = [];
      return taken;
    },
    shapeOf: (table) => engine.shapeOf(table),
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      engine.close();
    },
  };
}

function operationOf(headers: IncomingHttpHeaders): string {
  return String(headers['x-amz-target'] ?? '').replace('DynamoDB_20120810.', '');
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}

const FREE = new Set([
  'CreateTable',
  'DescribeTable',
  'ListTables',
  'DeleteTable',
  'DescribeTimeToLive',
]);
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

async function handle(
  engine: Engine,
  write: Write,
  transactions: Transactions,
): Promise<{ readonly answer: Answer; readonly charged?: Charged }> {
  const { operation, body } = write;
  // Publications come here as well, for a function whose client has no other address.
  if (operation === '') return { answer: { status: 200, body: {} } };
  if (FREE.has(operation)) return { answer: await engine.ask(operation, body) };
  if (operation === 'GetItem') return chargeRead(engine, body);
  if (WRITES.has(operation)) return chargeWrite(engine, write);
  if (operation === 'TransactWriteItems') {
    return transactions === 'in turn' ? chargeInTurn(engine, body) : chargeByEngine(engine, body);
  }
  const message = `the recorder knows no price of ${operation}`;
  return { answer: { status: 400, body: { __type: 'ValidationException', message } } };
}
