import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { describe, expect, it } from 'vitest';
import * as limits from '../../../core/base/limits.ts';
import {
  createDataPlaneClient,
  createStoreClient,
  DATA_PLANE_CLIENT,
  STORE_CLIENT,
} from '../../../lambda/adapters/clients.ts';

const HOUR_SECONDS = 3_600;
const DAY_HOURS = 24;

/** The longest that a client can take: every attempt hangs, and the waits between are at their longest. */
function longestMillis(client: typeof STORE_CLIENT | typeof DATA_PLANE_CLIENT): number {
  const { connectionTimeout, requestTimeout } = client.requestHandler;
  const attempt = connectionTimeout + requestTimeout;
  // The SDK's standard retries wait up to 100 ms × 2^n (AWS SDK reference, "Retry behavior").
  const waits = Array.from({ length: client.maxAttempts - 1 }, (_, n) => 100 * 2 ** n);
  return client.maxAttempts * attempt + waits.reduce((sum, wait) => sum + wait, 0);
}

describe('the queue', () => {
  it('hides a message at least six times as long as the function may run', () => {
    expect(limits.QUEUE_VISIBILITY_SECONDS).toBeGreaterThanOrEqual(
      6 * limits.FUNCTION_TIMEOUT_SECONDS,
    );
  });

  it('tries a message again for at least six hours before it is dead-lettered', () => {
    const seconds = limits.QUEUE_VISIBILITY_SECONDS * limits.QUEUE_RECEIVES_MAX;
    expect(seconds).toBeGreaterThanOrEqual(6 * HOUR_SECONDS);
  });

  it('keeps a message longer than its longest retry', () => {
    const hiddenSeconds = limits.QUEUE_VISIBILITY_SECONDS + limits.QUEUE_BATCH_WAIT_SECONDS_MAX;
    const retrySeconds = hiddenSeconds * limits.QUEUE_RECEIVES_MAX;
    expect(limits.QUEUE_RETENTION_DAYS * DAY_HOURS * HOUR_SECONDS).toBeGreaterThan(retrySeconds);
  });

  it('leaves the dead letters more time than the queue has, up to what SQS allows', () => {
    expect(limits.DEAD_LETTER_RETENTION_DAYS).toBeGreaterThan(limits.QUEUE_RETENTION_DAYS);
    expect(limits.DEAD_LETTER_RETENTION_DAYS).toBeLessThanOrEqual(14);
    expect(limits.QUEUE_RECEIVES_MAX).toBeLessThanOrEqual(1_000);
  });

  it('hands over batches that need no window, and no more than are written at a time', () => {
    expect(limits.QUEUE_BATCH_MESSAGES).toBeLessThanOrEqual(
      limits.QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX,
    );
    expect(limits.BATCH_WRITES_CONCURRENT_MAX).toBeGreaterThanOrEqual(limits.QUEUE_BATCH_MESSAGES);
  });

  it('of asynchronous invocations stays within Lambda’s figures', () => {
    expect(limits.ASYNC_RETRIES).toBeLessThanOrEqual(2);
    expect(limits.ASYNC_AGE_HOURS_MAX).toBeLessThanOrEqual(6);
  });
});

describe('the deadline', () => {
  it('comes in order: records stop, receipts stop, the function is ended', () => {
    expect(limits.FUNCTION_TIMEOUT_SECONDS * 1_000).toBeGreaterThan(limits.DEADLINE_RESERVE_MILLIS);
    expect(limits.DEADLINE_RESERVE_MILLIS).toBeGreaterThan(limits.ANSWER_RESERVE_MILLIS);
    expect(limits.ANSWER_RESERVE_MILLIS).toBeGreaterThan(0);
  });

  it('leaves room for a write that hangs to fail, so that the store’s error is seen', () => {
    const millis = limits.FUNCTION_TIMEOUT_SECONDS * 1_000 - limits.DEADLINE_RESERVE_MILLIS;
    expect(longestMillis(STORE_CLIENT)).toBeLessThan(millis);
  });

  it('leaves receipts at least one whole attempt after the last write', () => {
    const millis = limits.DEADLINE_RESERVE_MILLIS - limits.ANSWER_RESERVE_MILLIS;
    expect(DATA_PLANE_CLIENT.requestHandler.requestTimeout).toBeLessThan(millis);
  });

  it.each([STORE_CLIENT, DATA_PLANE_CLIENT])(
    'is known to every client: its time-outs throw',
    (client) => {
      expect(client.requestHandler.throwOnRequestTimeout).toBe(true);
      expect(client.maxAttempts).toBeGreaterThan(1);
    },
  );
});

describe('the clients', () => {
  it('have all their steps but the one that logs, which the SDK still calls by this name', () => {
    const logs = /^loggerMiddleware\b/;
    for (const client of [createStoreClient(), createDataPlaneClient()]) {
      const Client = client.constructor as typeof DynamoDBClient | typeof IoTDataPlaneClient;
      const steps = new Client({}).middlewareStack.identify();
      expect(steps.filter((step) => logs.test(step))).toHaveLength(1);
      expect(client.middlewareStack.identify()).toEqual(steps.filter((step) => !logs.test(step)));
    }
  });
});

describe('sizes', () => {
  it('of a body in base64 leave 8 KiB of the rule’s output to the envelope', () => {
    const base64 = 4 * Math.ceil(limits.BODY_BYTES_MAX / 3);
    expect(base64).toBe(122_880);
    expect(limits.RULE_OUTPUT_BYTES_MAX - base64).toBeGreaterThanOrEqual(8_192);
  });

  it('of a body and the body it conflicts with fit one quarantine row, details besides', () => {
    expect(2 * limits.BODY_BYTES_MAX + 65_536).toBeLessThan(limits.ITEM_BYTES_MAX);
  });

  it('of any payload that IoT Core takes fit one quarantine row', () => {
    expect(limits.MQTT_PAYLOAD_BYTES_MAX + 65_536).toBeLessThan(limits.ITEM_BYTES_MAX);
  });

  it('of receipts leave a margin below IoT Core’s payload', () => {
    expect(limits.RECEIPTS_BYTES_MAX).toBeLessThanOrEqual(limits.MQTT_PAYLOAD_BYTES_MAX - 8_192);
  });

  it('of an id leave room for the rest of the index’s sort key', () => {
    const occurrence =
      '2026-11-20T09:00:51.000Z##'.length + limits.DEVICE_BYTES_MAX + limits.ID_BYTES_MAX;
    expect(occurrence).toBeLessThanOrEqual(limits.SORT_KEY_BYTES_MAX);
    // The quarantine's sort key: id, #, hash.
    expect(limits.ID_BYTES_MAX + 1 + 64).toBeLessThanOrEqual(limits.SORT_KEY_BYTES_MAX);
  });

  it('of the index’s shards stay within two digits, as the account’s limit counts them', () => {
    expect(String(limits.INDEX_SHARDS_MAX - 1).length).toBe(2);
  });
});

describe('ages', () => {
  it('accept a leap year by default', () => {
    expect(limits.MAX_AGE_DAYS_DEFAULT).toBe(366);
    expect(limits.MAX_AGE_DAYS_MAX).toBeGreaterThanOrEqual(limits.MAX_AGE_DAYS_DEFAULT);
  });

  it('allow a device’s clock to run 24 hours ahead', () => {
    expect(limits.CLOCK_AHEAD_MILLIS_MAX).toBe(DAY_HOURS * HOUR_SECONDS * 1_000);
  });
});
