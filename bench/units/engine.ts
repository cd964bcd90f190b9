/** The engine behind the recorder, asked without the AWS SDK: what is charged must not be changed. */
import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Item, TableShape } from '../../cli/cost/units.ts';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface Engine {
  ask(operation: string, body: object): Promise<Answer>;
  /** A consistent read of a whole item. */
  read(table: string, key: unknown): Promise<Item | undefined>;
  /** Puts back what stood there before a write. */
  restore(write: Readonly<Record<string, unknown>>, before: Item | undefined): Promise<void>;
  shapeOf(table: string): Promise<TableShape>;
  keyIn(shape: TableShape, item: Item): Item;
  close(): void;
}

interface Schema {
  readonly KeySchema: readonly { readonly AttributeName: string }[];
}

interface Described extends Schema {
  readonly GlobalSecondaryIndexes?: readonly (Schema & {
    readonly IndexName: string;
    readonly Projection: {
      readonly ProjectionType: string;
      readonly NonKeyAttributes?: readonly string[];
    };
  })[];
}

const keysOf = ({ KeySchema }: Schema) => KeySchema.map(({ AttributeName }) => AttributeName);

export function openEngine(url: string): Engine {
  const agent = new Agent({ keepAlive: true });
  const shapes = new Map<string, TableShape>();
  const ask = (operation: string, body: object) => post(agent, url, operation, body);

  async function shapeOf(table: string): Promise<TableShape> {
    const known = shapes.get(table);
    if (known !== undefined) return known;
    const { status, body } = await ask('DescribeTable', { TableName: table });
    if (status !== 200) throw new Error(`the engine has no table ${table}`);
    const described = (body as { readonly Table: Described }).Table;
    const shape: TableShape = {
      keys: keysOf(described),
      indexes: (described.GlobalSecondaryIndexes ?? []).map((index) => ({
        name: index.IndexName,
        keys: keysOf(index),
        projected:
          index.Projection.ProjectionType === 'ALL'
            ? 'all'
            : (index.Projection.NonKeyAttributes ?? []),
      })),
    };
    shapes.set(table, shape);
    return shape;
  }

  function keyIn(shape: TableShape, item: Item): Item {
    return Object.fromEntries(Object.entries(item).filter(([name]) => shape.keys.includes(name)));
  }

  return {
    ask,
    shapeOf,
    keyIn,
    async read(table, key) {
      const { body } = await ask('GetItem', { TableName: table, Key: key, ConsistentRead: true });
      const { Item: found } = body as { readonly Item?: object };
      return found === undefined ? undefined : withBytes(found);
    },
    async restore(write, before) {
      const TableName = String(write.TableName);
      const shape = await shapeOf(TableName);
      const Key = write.Key ?? keyIn(shape, write.Item as Item);
      await (before === undefined
        ? ask('DeleteItem', { TableName, Key })
        : ask('PutItem', { TableName, Item: before }));
    },
    close: () => agent.destroy(),
  };
}

/** Bytes come as base64; what an item measures is the bytes themselves. */
function withBytes(item: object): Item {
  return JSON.parse(JSON.stringify(item), (name, value: unknown) =>
    name === 'B' && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
  );
}

async function post(agent: Agent, url: string, operation: string, body: object): Promise<Answer> {
  const payload = wireText(body);
  const sent = request(url, { method: 'POST', agent, headers: headersOf(operation, payload) });
  sent.end(payload);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  const answered = await text(response);
  return { status: response.statusCode ?? 0, body: JSON.parse(answered || '{}') as object };
}

/** DynamoDB's JSON, in which bytes are base64. */
export function wireText(body: object): string {
  return JSON.stringify(body, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return isBuffer(value) ? Buffer.from(value.data).toString('base64') : value;
  });
}

/** What a Buffer has become by the time that JSON.stringify shows it. */
function isBuffer(value: unknown): value is { readonly data: readonly number[] } {
  if (typeof value !== 'object' || value === null) return false;
  return 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data);
}

/** Neither engine checks the signature, but both want one to be there. */
function headersOf(operation: string, payload: string): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(payload).digest('hex');
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20261121T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=bench/20261121/us-east-1/dynamodb/aws4_request, ' +
      `SignedHeaders=host;x-amz-date, Signature=${hash}`,
  };
}
