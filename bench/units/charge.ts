/** What AWS would charge for a request: the item before, the item after, and the units. */
import {
  type Item,
  itemBytes,
  NO_UNITS,
  readUnits,
  refusedUnits,
  type Units,
  writtenUnits,
} from '../../cli/cost/units.ts';
import { type Answer, type Engine, wireText } from './engine.ts';

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

interface StoredItem {
  readonly table: string;
  readonly item: Item;
}

export type Body = Readonly<Record<string, unknown>>;

/** A write as it stands alone or in a transaction. */
export interface Write {
  readonly operation: string;
  readonly body: Body;
}

export interface Done {
  readonly answer: Answer;
  readonly charged: Charged;
  readonly before: Item | undefined;
}

export async function chargeRead(engine: Engine, body: Body) {
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

/** What the engine reports of a request, all of its tables together; of a transaction a list. */
export function reportedBy({ body }: Answer): Reported | undefined {
  const { ConsumedCapacity } = body as {
    readonly ConsumedCapacity?: Consumed | readonly Consumed[];
  };
  const all = [ConsumedCapacity ?? []].flat().flatMap(reportedOf);
  if (all.length === 0) return undefined;
  const indexes = all.flatMap((one) => one.indexes ?? []);
  return {
    table: all.reduce((sum, { table }) => sum + table, 0),
    indexes: indexes.length === 0 ? undefined : indexes.reduce((sum, one) => sum + one, 0),
  };
}

function reportedOf({ Table, GlobalSecondaryIndexes }: Consumed): readonly Reported[] {
  if (Table?.CapacityUnits === undefined) return [];
  const indexes = GlobalSecondaryIndexes && Object.values(GlobalSecondaryIndexes);
  return [
    {
      table: Table.CapacityUnits,
      indexes: indexes?.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0),
    },
  ];
}

export async function chargeWrite(engine: Engine, { operation, body }: Write): Promise<Done> {
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
