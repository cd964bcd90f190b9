/**
 * Transactions: by an engine that has them, or, for dynalite, their actions carried out in turn and
 * taken back when one fails.
 *
 * One that is cancelled is charged like one that is not: said by others, not by AWS's pages
 * ("Amazon DynamoDB transactions" names the units of an attempt, not of a failure).
 */
import {
  addUnits,
  type Item,
  inTransaction,
  NO_UNITS,
  refusedUnits,
  type Units,
  writtenUnits,
} from '../../cli/cost/units.ts';
import {
  type Body,
  type Charged,
  chargeWrite,
  type Done,
  reportedBy,
  type Write,
} from './charge.ts';
import type { Answer, Engine } from './engine.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
};

export async function chargeInTurn(engine: Engine, body: Body) {
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
  const charged: Charged = {
    ...sumOf(failed, units),
    reported: undefined,
    after: failed ? [] : done.flatMap((one) => one.charged.after),
  };
  return { answer: failed ? cancelled(done, actions.length) : { status: 200, body: {} }, charged };
}

/** @throws Error where the engine refuses it for anything but a failed condition */
export async function chargeByEngine(engine: Engine, body: Body) {
  const actions = (body.TransactItems as readonly Readonly<Record<string, Body>>[]).map(writeOf);
  const places = await Promise.all(actions.map((write) => placeOf(engine, write)));
  const readAll = () => Promise.all(places.map(({ table, key }) => engine.read(table, key)));
  const before = await readAll();
  const answer = await engine.ask('TransactWriteItems', {
    ...body,
    ReturnConsumedCapacity: 'INDEXES',
  });
  const failed = isCancelled(answer);
  if (!failed && answer.status !== 200) {
    throw new Error(`the engine refuses TransactWriteItems: ${JSON.stringify(answer.body)}`);
  }
  const after = await readAll();
  const units = places.map(({ shape, attempted }, n) =>
    failed ? refusedUnits(before[n], attempted) : writtenUnits(shape, before[n], after[n]),
  );
  const stored = places.flatMap(({ table }, n) => {
    const item = after[n];
    return item === undefined ? [] : [{ table, item }];
  });
  const charged: Charged = {
    ...sumOf(failed, units),
    reported: failed ? undefined : reportedBy(answer),
    after: failed ? [] : stored,
  };
  return { answer, charged };
}

function sumOf(failed: boolean, units: readonly Units[]) {
  const sum = units.reduce(addUnits, NO_UNITS);
  return {
    operation: 'TransactWriteItems',
    outcome: failed ? 'refused' : 'written',
    units: inTransaction(failed ? { ...sum, indexWrites: 0 } : sum),
  } as const;
}

async function placeOf(engine: Engine, { body }: Write) {
  const table = String(body.TableName);
  const shape = await engine.shapeOf(table);
  const attempted = body.Item as Item | undefined;
  return { table, shape, attempted, key: body.Key ?? engine.keyIn(shape, attempted ?? {}) };
}

function isCancelled({ body }: Answer): boolean {
  return /TransactionCanceledException$/.test(String((body as Body).__type ?? ''));
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
