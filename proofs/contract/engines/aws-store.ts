/**
 * The four tables on AWS, for as long as a run lasts.
 *
 * Owns the tables that it has made, and no other: one that exists already ends the run before
 * anything is written, and is neither used nor deleted.
 */
import { DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import type { Store } from '../../../tools/stores/engines.ts';
import { createTables, deleteTables, tableNames } from '../../../tools/stores/tables.ts';

export const PREFIX_VARIABLE = 'TOLLBRIDGE_AWS_TEST_TABLE_PREFIX';
/** DynamoDB allows a table's name 255 characters; the longest name behind the prefix has ten. */
const PREFIX = /^[A-Za-z0-9_.-]{1,200}$/;

/** Region, credentials and endpoint come from the environment, as every AWS tool reads them. */
export async function makeAwsStore(prefix: string): Promise<Store> {
  if (!PREFIX.test(prefix)) {
    throw new RangeError(
      `${PREFIX_VARIABLE} is ${JSON.stringify(prefix)}; allowed are 1 to 200 letters, digits, "_", "." and "-", e.g. tollbridge-test-.`,
    );
  }
  const client = new DynamoDBClient({});
  const created: string[] = [];
  try {
    await assertRegion(client);
    const tables = await createTables(client, prefix, (table) => created.push(table));
    return {
      client,
      tables,
      close: async () => {
        try {
          await deleteTables(client, created);
        } finally {
          client.destroy();
        }
      },
    };
  } catch (cause) {
    const reason = cause instanceof ResourceInUseException ? inUse(prefix, created, cause) : cause;
    throw await takenBack(client, created, reason);
  }
}

/** The reason, or that and what could not be deleted. */
async function takenBack(
  client: DynamoDBClient,
  created: readonly string[],
  reason: unknown,
): Promise<unknown> {
  try {
    await deleteTables(client, created);
    return reason;
  } catch (left) {
    return new AggregateError([reason, left], `${String(reason)} And ${String(left)}`);
  } finally {
    client.destroy();
  }
}

async function assertRegion(client: DynamoDBClient): Promise<void> {
  try {
    await client.config.region();
  } catch (cause) {
    throw new Error(
      'no AWS Region is set, and none is guessed: set AWS_REGION to the Region in which tables may be made.',
      { cause },
    );
  }
}

function inUse(prefix: string, created: readonly string[], cause: unknown): Error {
  const name = Object.values(tableNames(prefix)).find((table) => !created.includes(table));
  return new Error(
    `the table ${name} exists already and was not touched. Choose another ${PREFIX_VARIABLE}, or delete it if an earlier run was killed and left it.`,
    { cause },
  );
}
