import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, type IoTDataPlaneClientConfig } from '@aws-sdk/client-iot-data-plane';

/**
 * How the AWS clients wait and try again. Both fit into the time that a batch has: a store that
 * hangs must not take the batch's other records with it. Both keep the steps that a call goes
 * through, which the SDK would put together anew for each: a tenth of what a call costs.
 */
export const STORE_CLIENT = {
  cacheMiddleware: true,
  maxAttempts: 4,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 4_000,
    throwOnRequestTimeout: true,
  },
} as const;

/** Receipts have the time that is left after the writes, and no more. */
export const DATA_PLANE_CLIENT = {
  cacheMiddleware: true,
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 1_500,
    throwOnRequestTimeout: true,
  },
} as const;

/** @param config beside `STORE_CLIENT`; on AWS all else comes from the environment */
export function createStoreClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  return withoutLogging(new DynamoDBClient({ ...config, ...STORE_CLIENT }));
}

/** @param config beside `DATA_PLANE_CLIENT`; on AWS all else comes from the environment */
export function createDataPlaneClient(config: IoTDataPlaneClientConfig = {}): IoTDataPlaneClient {
  return withoutLogging(new IoTDataPlaneClient({ ...config, ...DATA_PLANE_CLIENT }));
}

/**
 * Takes out the step that copies every request and answer for a logger, which is not there: a tenth
 * of what a call costs. Source: AWS SDK for JavaScript v3, developer guide, "Middleware stack".
 */
function withoutLogging<Client extends DynamoDBClient | IoTDataPlaneClient>(client: Client) {
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
