/**
 * Rows of messages on DynamoDB: the same few calls on each table. Throws TerminalError or
 * RetryableError, and nothing else.
 */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../../core/base/errors.ts';
import { epochMillis } from '../../core/base/time.ts';
import type { MessageKey } from '../../core/message/id.ts';
import type { ReplaceResult, WriteResult } from '../../core/tables/ports.ts';
import type { Row, RowWrite } from '../../core/tables/row.ts';
import { bytesOrTextOf, integerOf, textOf } from './attributes.ts';
import { DYNAMODB_TERMINAL, failureOf } from './failure.ts';
import { copyCount, type Update } from './writes.ts';

export type Item = Readonly<Record<string, AttributeValue>>;

/** What the tables do alike. */
export class TableRows<Read extends Row> {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #read: (item: Item) => Read;

  constructor(client: DynamoDBClient, table: string, read: (item: Item) => Read) {
    this.#client = client;
    this.#table = table;
    this.#read = read;
  }

  async find(key: MessageKey): Promise<Read | undefined> {
    const request = new GetItemCommand({
      TableName: this.#table,
      Key: { pk: { S: key.pk }, id: { S: key.id } },
      ConsistentRead: true,
    });
    try {
      const { Item } = await this.#client.send(request);
      return Item === undefined ? undefined : this.#rowOf(Item);
    } catch (error) {
      throw ours(error) ?? failureOf('reading a row', error, DYNAMODB_TERMINAL);
    }
  }

  /** The update asks for the row as it was before; there is none when this write has made it. */
  async write(write: RowWrite, update: Update): Promise<WriteResult<Read>> {
    const result = await this.#send(write, update);
    if (result.kind === 'refused') return result;
    return result.before === undefined
      ? { kind: 'written' }
      : { kind: 'counted', row: this.#rowOf(result.before) };
  }

  async replace(write: RowWrite, update: Update): Promise<ReplaceResult<Read>> {
    const result = await this.#send(write, update);
    return result.kind === 'refused' ? result : { kind: 'written' };
  }

  async #send(
    write: RowWrite,
    update: Update,
  ): Promise<
    { kind: 'landed'; before: Item | undefined } | Extract<WriteResult<Read>, { kind: 'refused' }>
  > {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateItemCommand({ TableName: this.#table, ...update }),
      );
      return { kind: 'landed', before: Attributes };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) {
        throw failureOf('writing a row', error, DYNAMODB_TERMINAL);
      }
      const row = error.Item ? this.#rowOf(error.Item) : await this.find(write.key);
      // Engines that do not return the old item are asked; TTL may have taken the row since.
      if (row === undefined) throw new RetryableError('the row that refused a write is gone');
      return { kind: 'refused', row };
    }
  }

  count(write: RowWrite, firstDeliveryId: string): Promise<void> {
    return this.countAs(copyCount(write, firstDeliveryId));
  }

  /** A copy whose row has gone or changed hands meanwhile is not counted, and nothing is lost. */
  async countAs(update: Update): Promise<void> {
    await this.update('counting a copy', update);
  }

  /** False when the condition failed. */
  update(action: string, update: Update): Promise<boolean> {
    return this.unlessRefused(action, () =>
      this.#client.send(new UpdateItemCommand({ TableName: this.#table, ...update })),
    );
  }

  /** False when the condition failed. */
  async unlessRefused(action: string, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw failureOf(action, error, DYNAMODB_TERMINAL);
    }
  }

  /** @throws RetryableError for a row that is not ours: an operator can mend it meanwhile */
  #rowOf(item: Item): Read {
    try {
      return this.#read(item);
    } catch (error) {
      throw failureOf('reading a row', error, DYNAMODB_TERMINAL);
    }
  }
}

function ours(error: unknown): RetryableError | undefined {
  return error instanceof RetryableError ? error : undefined;
}

export function rowOf(item: Item): Row {
  return {
    rowVersion: integerOf(item, 'rowVersion'),
    firstDeliveryId: textOf(item, 'firstDeliveryId'),
    fingerprint: textOf(item, 'fingerprint'),
    topic: textOf(item, 'topic'),
    body: bytesOrTextOf(item, 'body'),
    bookedAtMillis: epochMillis(integerOf(item, 'bookedAtMillis')),
  };
}
