/**
 * (a) Powertools Idempotency around a function that puts the entry: a marker is put under a
 * condition, the entry follows, and the marker is set to completed. The key is the message's
 * (device and id), the marker stays for the 24 hours that its documentation suggests, and the
 * context is given, so that the marker of a killed function lapses with the function's time-out.
 * Markers have a partition key alone: with a sort key, Powertools puts all markers of a function
 * into one partition, which takes 1,000 write units a second.
 */

import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Charge, entryOf, handlerOf, store, tables } from './job.ts';

const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: tables.markers,
  keyAttr: 'pk',
  awsSdkV3Client: store,
});
const config = new IdempotencyConfig({
  expiresAfterSeconds: 86_400,
  throwOnNoIdempotencyKey: true,
});

const bookOnce = makeIdempotent(
  async (_key: string, charge: Charge): Promise<string> => {
    await store.send(new PutItemCommand({ TableName: tables.entries, Item: entryOf(charge) }));
    return charge.deliveryId;
  },
  { persistenceStore, config, dataIndexArgument: 0 },
);

export const handler = handlerOf(async (charge, context) => {
  config.registerLambdaContext(context);
  // What comes back is the answer of the delivery that has booked it.
  const bookedBy = await bookOnce(`${charge.device}#${charge.id}`, charge);
  return bookedBy === charge.deliveryId;
});
