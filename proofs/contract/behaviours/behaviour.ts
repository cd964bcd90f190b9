/** One thing that engines may do differently, and the means to look at it. */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { MessageKey } from '../../../core/message/id.ts';
import type { Item, Store } from '../../../tools/stores/engines.ts';

export interface Behaviour {
  /** What is asked of the engine; unique. */
  readonly title: string;
  /** What AWS documents, in the words in which `observe` tells what it saw. */
  readonly documented: string;
  /** The AWS page that says so. */
  readonly page: string;
  /** The page states the rule; how it shows, an error's name say, is inferred from it. */
  readonly isInferred?: true;
  /** Why Tollbridge is right on an engine that does otherwise; wanted where one does. */
  readonly otherwise?: string;
  /** Not asked of AWS, with the reason: it would cost much, or take days. */
  readonly notOnAws?: string;
  /** Left out of the quick tests. */
  readonly isLong?: boolean;
  /** A short text, the same in every run. */
  observe(place: Place): Promise<string>;
}

/** Counted for all places together: two may stand on the same tables. */
let ids = 0;

/** An engine with the deployed tables, and keys that nothing else has used. */
export class Place {
  readonly client: DynamoDBClient;
  readonly tables: Store['tables'];

  constructor({ client, tables }: Pick<Store, 'client' | 'tables'>) {
    this.client = client;
    this.tables = tables;
  }

  fresh(): string {
    return `behaviour-${++ids}`;
  }

  /** The attributes, or the error. */
  put(item: Item, table: keyof Store['tables'] = 'ledger'): Promise<unknown> {
    return this.client.send(new PutItemCommand({ TableName: this.tables[table], Item: item }));
  }

  async update(input: Omit<UpdateItemCommandInput, 'TableName'>): Promise<Item> {
    const request = new UpdateItemCommand({ TableName: this.tables.ledger, ...input });
    return (await this.client.send(request)).Attributes ?? {};
  }

  async read({ pk, id }: MessageKey): Promise<Item> {
    const Key = { pk: { S: pk }, id: { S: id } };
    const request = { TableName: this.tables.ledger, Key, ConsistentRead: true };
    return (await this.client.send(new GetItemCommand(request))).Item ?? {};
  }

  /** An item of the ledger under a key of its own. */
  item(attributes: Readonly<Record<string, AttributeValue>> = {}): Item {
    return { pk: { S: this.fresh() }, id: { S: 'x' }, ...attributes };
  }
}

/** `accepted`, or the name of the error. */
export async function outcomeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return 'accepted';
  } catch (error) {
    if (error instanceof Error) return error.name;
    throw error;
  }
}

/** Outcomes side by side, e.g. `accepted, ValidationException`. */
export async function outcomesOf(...asked: readonly (() => Promise<unknown>)[]): Promise<string> {
  const outcomes: string[] = [];
  for (const one of asked) outcomes.push(await outcomeOf(one()));
  return outcomes.join(', ');
}

/** Runs so many trials, some at a time, and says in how many the wanted thing was seen. */
export async function countOf(
  trials: number,
  atOnce: number,
  trial: (n: number) => Promise<boolean>,
): Promise<string> {
  let seen = 0;
  for (let n = 0; n < trials; n += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, trials - n) }, (_, k) => trial(n + k));
    for (const was of await Promise.all(group)) seen += was ? 1 : 0;
  }
  return `${seen} of ${trials}`;
}
