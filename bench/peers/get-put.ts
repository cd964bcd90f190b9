/** (c) Look whether the entry is there, and put it if it is not: the tutorial's way. */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { entryOf, handlerOf, store, tables } from './job.ts';

export const handler = handlerOf(async (charge) => {
  const TableName = tables.entries;
  const Item = entryOf(charge);
  const Key = { pk: { S: `charges#${charge.device}` }, id: { S: charge.id } };
  const found = await store.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  if (found.Item !== undefined) return false;
  await store.send(new PutItemCommand({ TableName, Item }));
  return true;
});
