import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A client for the local cloud's tables; any credentials do there. */
export function localDynamoDB(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
  });
}
