/** The quarantine on DynamoDB. */
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Quarantine } from '../../core/ports.ts';
import { type Clock, toIso } from '../../core/time.ts';
import { DYNAMODB_TERMINAL, failureOf } from './failure.ts';
import { firstWriteWins } from './writes.ts';

export function createQuarantineTable(
  client: DynamoDBClient,
  table: string,
  clock: Clock,
): Quarantine {
  return {
    async put({ key, ...first }) {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk: { S: key.pk }, sk: { S: key.sk } },
            ...firstWriteWins(first, 1, toIso(clock())),
          }),
        );
      } catch (error) {
        throw failureOf('quarantining', error, DYNAMODB_TERMINAL);
      }
    },
  };
}
