/** The two clients and nothing to do with them: what the SDK alone takes to start. */
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { createDataPlaneClient, createStoreClient } from '../../lambda/adapters/clients.ts';

const store = createStoreClient();
const dataPlane = createDataPlaneClient();

/** Never called; without it, the bundler would leave the clients out. */
export const handler = async (): Promise<void> => {
  await store.send(new UpdateItemCommand({ TableName: undefined, Key: undefined }));
  await store.send(new PutItemCommand({ TableName: undefined, Item: undefined }));
  await dataPlane.send(new PublishCommand({ topic: undefined }));
};
