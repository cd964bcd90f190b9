/** The ledger on DynamoDB. */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError, TerminalError } from '../../core/errors.ts';
import type { MessageKey } from '../../core/identity.ts';
import { type LedgerRow, type LedgerWrite, ledgerRowFault } from '../../core/ledger-row.ts';
import type { BookResult, Ledger } from '../../core/ports.ts';
import { epochMillis } from '../../core/time.ts';
import { integerOf, textOf } from './attributes.ts';
import { DYNAMODB_TERMINAL, failureOf } from './failure.ts';
import { ledgerWriteInput } from './ledger-write.ts';

export function createLedgerTable(client: DynamoDBClient, table: string): Ledger {
  const find = async (key: MessageKey): Promise<LedgerRow | undefined> => {
    const item = await client
      .send(
        new GetItemCommand({
          TableName: table,
          Key: { pk: { S: key.pk }, id: { S: key.id } },
          ConsistentRead: true,
        }),
      )
      .then(
        ({ Item }) => Item,
        (error: unknown) => {
          throw failureOf('reading the ledger', error, DYNAMODB_TERMINAL);
        },
      );
    return item === undefined ? undefined : rowOf(item);
  };

  const book = async (write: LedgerWrite): Promise<BookResult> => {
    const fault = ledgerRowFault(write);
    if (fault !== undefined) throw new TerminalError(`booking refused: ${fault}`);
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand(ledgerWriteInput(table, write)),
      );
      return { kind: 'written', row: rowOf(Attributes ?? {}) };
    } catch (error) {
      if (error instanceof RetryableError) throw error;
      if (!(error instanceof ConditionalCheckFailedException))
        throw failureOf('booking', error, DYNAMODB_TERMINAL);
      return { kind: 'refused', row: error.Item ? rowOf(error.Item) : await standing(write) };
    }
  };

  /** Engines that do not return the old item on failure are asked, on this path alone. */
  const standing = async (write: LedgerWrite): Promise<LedgerRow> => {
    const row = await find(write.key);
    if (row === undefined) throw new RetryableError('the row that refused a booking is gone');
    return row;
  };

  return { book, find };
}

/** @throws RetryableError for a row that is not ours: an operator can mend it meanwhile */
function rowOf(item: Readonly<Record<string, AttributeValue>>): LedgerRow {
  try {
    return {
      firstDeliveryId: textOf(item, 'firstDeliveryId'),
      likeness: textOf(item, 'likeness'),
      topic: textOf(item, 'topic'),
      body: textOf(item, 'body'),
      tries: integerOf(item, 'tries'),
      bookedAtMillis: epochMillis(integerOf(item, 'bookedAtMillis')),
    };
  } catch (error) {
    throw failureOf('reading a row', error, DYNAMODB_TERMINAL);
  }
}
