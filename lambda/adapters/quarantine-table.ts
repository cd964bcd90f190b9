/** The quarantine on DynamoDB. */
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Clock, toIso } from '../../core/base/time.ts';
import type { Quarantine, QuarantineReader } from '../../core/tables/ports.ts';
import type { QuarantineRow } from '../../core/tables/quarantine-row.ts';
import { textOf } from './attributes.ts';
import { DYNAMODB_TERMINAL, failureOf } from './failure.ts';
import { firstWriteWins } from './writes.ts';

export function createQuarantineTable(
  client: DynamoDBClient,
  table: string,
  clock: Clock,
): Quarantine {
  return {
    async put(row) {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk: { S: row.key.pk }, sk: { S: row.key.sk } },
            ...putOf(row, toIso(clock())),
          }),
        );
      } catch (error) {
        throw failureOf('quarantining', error, DYNAMODB_TERMINAL);
      }
    },
  };
}

/**
 * The first words stand. What a later finding alone knows is added to them: its reason, and the
 * booked body that the delivery is in conflict with (I5), which no attribute holds before.
 */
function putOf({ key: _, fields, bookedBody, bookedAt, ...first }: QuarantineRow, now: string) {
  const evidence = Object.entries({ fields, bookedBody, bookedAt }).filter(
    ([, value]) => value !== null,
  );
  const update = firstWriteWins({ ...first, ...Object.fromEntries(evidence) }, 1, now);
  return {
    UpdateExpression: `${update.UpdateExpression}, #reasons :reasons`,
    ExpressionAttributeNames: { ...update.ExpressionAttributeNames, '#reasons': 'reasons' },
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ':reasons': { SS: [first.reason] },
    },
  };
}

/** The quarantine, for the handshake. */
export function createFindings(client: DynamoDBClient, table: string): QuarantineReader {
  return {
    async find({ pk, sk }) {
      const request = new GetItemCommand({
        TableName: table,
        Key: { pk: { S: pk }, sk: { S: sk } },
        ConsistentRead: true,
        // A row can hold two whole bodies, and the answer needs neither.
        ProjectionExpression: 'reason, detail, #fields',
        ExpressionAttributeNames: { '#fields': 'fields' },
      });
      try {
        const { Item: row } = await client.send(request);
        if (row === undefined) return undefined;
        const fields = row.fields?.L?.flatMap(({ S }) => (S === undefined ? [] : [S]));
        return {
          reason: textOf(row, 'reason'),
          detail: textOf(row, 'detail'),
          fields: fields ?? null,
        };
      } catch (error) {
        throw failureOf('reading the quarantine', error, DYNAMODB_TERMINAL);
      }
    },
  };
}
