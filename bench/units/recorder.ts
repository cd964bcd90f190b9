/**
 * A proxy before a DynamoDB engine that charges for each request as AWS would: it reads the item
 * before and after, and computes the units. Clients are the real ones; they are given its address.
 *
 * Owns the server and the record. Keeps these invariants: requests are taken one after another, so
 * that nothing changes between the two reads; an operation that it cannot charge for is refused by
 * name. Where dynalite is less than DynamoDB, it fills in: the old item of a failed condition, and
 * transactions, whose actions are carried out in turn and taken back when one fails.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  addUnits,
  type Item,
  inTransaction,
  itemBytes,
  NO_UNITS,
  readUnits,
  refusedUnits,
  type TableShape,
  type Units,
  writtenUnits,
} from '../../cli/cost/units.ts';
import { type Answer, type Engine, openEngine, wireText } from './engine.ts';

/** One request, and what it is charged. */
export interface Charged {
  readonly operation: string;
  readonly outcome: 'written' | 'refused' | 'read';
  readonly units: Units;
  /** What the engine itself reported; undefined where it reported nothing. */
  readonly reported: Reported | undefined;
  /** What is stored of it now, by table. */
  readonly after: readonly StoredItem[];
}

export interface Reported {
  /** Units of the table. */
  readonly table: number;
  /** Units of all indexes together; undefined for an engine that does not count them. */
  readonly indexes: number | undefined;
}

export interface StoredItem {
  readonly table: string;
  readonly item: Item;
}

export interface Recorder {
  readonly url: string;
  /** What was charged since the last call. */
  take(): readonly Charged[];
  shapeOf(table: string): Promise<TableShape>;
  close(): Promise<void>;
}

type Body = Readonly<Record<string, unknown>>;

/** A write as it stands alone or in a transaction. */
interface Write {
  readonly operation: string;
  readonly body: Body;
}

interface Done {
  readonly answer: Answer;
  readonly charged: Charged;
  readonly before: Item | undefined;
}

/** @param engineUrl of dynalite or DynamoDB Local */
export async function startRecorder(engineUrl: string): Promise<Recorder> {
  const engine = openEngine(engineUrl);
  let record: Charged[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const handled = turn.then(async () => {
      const operation = operationOf(request.headers);
      const sent = await text(request);
      const body = (operation === '' || sent === '' ? {} : JSON.parse(sent)) as Body;
      const { answer, charged } = await handle(engine, { operation, body });
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
): Promise<{ readonly answer: Answer; readonly charged?: Charged }> {
  const { operation, body } = write;
  // Publications come here as well, for a function whose client has no other address.
  if (operation === '') return { answer: { status: 200, body: {} } };
  if (FREE.has(operation)) return { answer: await engine.ask(operation, body) };
  if (operation === 'GetItem') return chargeRead(engine, body);
  if (WRITES.has(operation)) return chargeWrite(engine, write);
  if (operation === 'TransactWriteItems') return chargeTransaction(engine, body);
  const message = `the recorder knows no price of ${operation}`;
  return { answer: { status: 400, body: { __type: 'ValidationException', message } } };
}

async function chargeRead(engine: Engine, body: Body) {
  const answer = await engine.ask('GetItem', { ...body, ReturnConsumedCapacity: 'INDEXES' });
  const whole = await engine.read(String(body.TableName), body.Key);
  const reads = readUnits(whole ? itemBytes(whole) : 0, body.ConsistentRead === true);
  const charged: Charged = {
    operation: 'GetItem',
    outcome: 'read',
    units: { ...NO_UNITS, reads },
    reported: reportedBy(answer),
    after: [],
  };
  return { answer, charged };
}

interface Consumed {
  readonly Table?: { readonly CapacityUnits?: number };
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits?: number }>>;
}

function reportedBy({ body }: Answer): Reported | undefined {
  const { ConsumedCapacity: found } = body as { readonly ConsumedCapacity?: Consumed };
  if (found?.Table?.CapacityUnits === undefined) return undefined;
  const indexes = found.GlobalSecondaryIndexes && Object.values(found.GlobalSecondaryIndexes);
  return {
    table: found.Table.CapacityUnits,
    indexes: indexes?.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0),
  };
}

async function chargeWrite(engine: Engine, { operation, body }: Write): Promise<Done> {
  const table = String(body.TableName);
  const shape = await engine.shapeOf(table);
  const attempted = body.Item as Item | undefined;
  const key = body.Key ?? engine.keyIn(shape, attempted ?? {});
  const before = await engine.read(table, key);
  const found = await engine.ask(operation, { ...body, ReturnConsumedCapacity: 'INDEXES' });
  const isRefused = isConditionFailure(found);
  if (!isRefused && found.status !== 200) {
    throw new Error(`the engine refuses ${operation}: ${JSON.stringify(found.body)}`);
  }
  const after = await engine.read(table, key);
  const charged: Charged = {
    operation,
    outcome: isRefused ? 'refused' : 'written',
    units: isRefused ? refusedUnits(before, attempted) : writtenUnits(shape, before, after),
    reported: isRefused ? undefined : reportedBy(found),
    after: after === undefined ? [] : [{ table, item: after }],
  };
  return { answer: isRefused ? withOldItem(found, body, before) : found, charged, before };
}

function isConditionFailure({ body }: Answer): boolean {
  return /ConditionalCheckFailedException$/.test(String((body as Body).__type ?? ''));
}

/** DynamoDB gives the item that stood in the way where it is asked to; dynalite does not. */
function withOldItem(answer: Answer, asked: Body, before: Item | undefined): Answer {
  if (asked.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' || before === undefined)
    return answer;
  return { ...answer, body: { ...(answer.body as Body), Item: JSON.parse(wireText(before)) } };
}

const ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
};

/**
 * A transaction that is cancelled is charged like one that is not: said by others, not by AWS's pages
 * ("Amazon DynamoDB transactions" names the units of an attempt, not of a failure).
 */
async function chargeTransaction(engine: Engine, body: Body) {
  const actions = (body.TransactItems as readonly Readonly<Record<string, Body>>[]).map(writeOf);
  const done: (Done & { readonly write: Write })[] = [];
  for (const write of actions) {
    const one = await chargeWrite(engine, write);
    done.push({ ...one, write });
    if (one.charged.outcome === 'refused') break;
  }
  const failed = done.at(-1)?.charged.outcome === 'refused';
  const units = done.map(({ charged }) => charged.units);
  if (failed) {
    for (const { write, before, charged } of done.toReversed()) {
      if (charged.outcome === 'written') await engine.restore(write.body, before);
    }
    for (const write of actions.slice(done.length)) units.push(attemptedUnits(write));
  }
  const sum = units.reduce(addUnits, NO_UNITS);
  const charged: Charged = {
    operation: 'TransactWriteItems',
    outcome: failed ? 'refused' : 'written',
    units: inTransaction(failed ? { ...sum, indexWrites: 0 } : sum),
    reported: undefined,
    after: failed ? [] : done.flatMap((one) => one.charged.after),
  };
  return { answer: failed ? cancelled(done, actions.length) : { status: 200, body: {} }, charged };
}

function writeOf(action: Readonly<Record<string, Body>>): Write {
  const [name = '', body = {}] = Object.entries(action)[0] ?? [];
  const operation = ACTIONS[name];
  if (operation === undefined) throw new Error(`the recorder knows no price of ${name}`);
  return { operation, body };
}

function attemptedUnits({ body }: Write): Units {
  return refusedUnits(undefined, body.Item as Item | undefined);
}

function cancelled(done: readonly Done[], actions: number): Answer {
  const reasons = Array.from({ length: actions }, (_, n) => {
    const one = done[n];
    if (one?.charged.outcome !== 'refused') return { Code: 'None' };
    const { Item } = one.answer.body as { Item?: unknown };
    const Message = 'The conditional request failed';
    return { Code: 'ConditionalCheckFailed', Message, ...(Item !== undefined && { Item }) };
  });
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return {
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
      CancellationReasons: reasons,
    },
  };
}
