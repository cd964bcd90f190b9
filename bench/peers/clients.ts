/** The two clients and nothing to do with them: what the SDK alone takes to start. */
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';

const store = new DynamoDBClient({ maxAttempts: 4 });
const dataPlane = new IoTDataPlaneClient({ maxAttempts: 3 });

/** Never called; without it, the bundler would leave the clients out. */
export const handler = async (): Promise<void> => {
  await store.send(new UpdateItemCommand({ TableName: undefined, Key: undefined }));
  await store.send(new PutItemCommand({ TableName: undefined, Item: undefined }));
  await dataPlane.send(new PublishCommand({ topic: undefined }));
};
