/** (b) Marker and entry in one transaction, the marker under a condition. */
import { TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { entryOf, handlerOf, store, tables } from './job.ts';

export const handler = handlerOf(async (charge) => {
  const marker = { pk: { S: `charges#${charge.device}#${charge.id}` } };
  try {
    await store.send(
      new TransactWriteItemsCommand({
        // The client's own token makes its retries one. A token of the delivery would not do: a
        // second try has another time in its entry, and is refused as another request.
        TransactItems: [
          {
            Put: {
              TableName: tables.markers,
              Item: marker,
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
          { Put: { TableName: tables.entries, Item: entryOf(charge) } },
        ],
      }),
    );
    return true;
  } catch (error) {
    const isCopy =
      error instanceof TransactionCanceledException &&
      error.CancellationReasons?.some(({ Code }) => Code === 'ConditionalCheckFailed');
    if (isCopy) return false;
    throw error;
  }
});
