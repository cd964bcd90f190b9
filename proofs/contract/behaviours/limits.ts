/** Limits, and what engines call invalid. */
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  PutItemCommand,
  type UpdateItemCommandInput,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { sameDecimal } from '../../../core/base/decimal.ts';
import {
  ITEM_BYTES_MAX,
  PARTITION_KEY_BYTES_MAX,
  SORT_KEY_BYTES_MAX,
} from '../../../core/base/limits.ts';
import { createLedgerTable } from '../../../lambda/adapters/exactly-once.ts';
import { bodyWith, writeOf } from '../../../tools/handlers/samples.ts';
import { type Behaviour, outcomeOf, outcomesOf, type Place } from './behaviour.ts';

const VALIDATION = 'ValidationException';
const QUOTAS = 'Developer Guide, Quotas in Amazon DynamoDB';
const TYPES = 'Developer Guide, Supported data types and naming rules';
/** DynamoDB, "Quotas": any expression string. */
const EXPRESSION_BYTES_MAX = 4_096;
const neverMade =
  'No message that was read can make such a row: the limits of id, device, account and body leave no room for it (`test/core/tables/row.test.ts`).';

/** How an engine takes numbers, and what it gives back. */
async function numbers(place: Place, texts: readonly string[]): Promise<readonly string[]> {
  const told: string[] = [];
  for (const N of texts) {
    const item = place.item({ number: { N } });
    const outcome = await outcomeOf(place.put(item));
    const back = (await place.read({ pk: item.pk?.S ?? '', id: 'x' })).number?.N;
    if (outcome !== 'accepted') told.push(outcome);
    else told.push(back !== undefined && sameDecimal(back, N) ? back : `${N} became ${back}`);
  }
  return told;
}

const DIGITS_38 = '12345678901234567890123456789012345678';

const numberBehaviours: readonly Behaviour[] = [
  {
    title: 'a number of 38 digits, and one of 39',
    documented: `${DIGITS_38}, ${VALIDATION}`,
    page: TYPES,
    observe: async (place) => (await numbers(place, [DIGITS_38, `${DIGITS_38}9`])).join(', '),
  },
  {
    title: 'numbers out of range: 1E+126, -1E+126, 1E-131',
    documented: [VALIDATION, VALIDATION, VALIDATION].join(', '),
    page: TYPES,
    observe: async (place) => (await numbers(place, ['1E+126', '-1E+126', '1E-131'])).join(', '),
  },
  {
    title: 'numbers at the ends of the range keep their value: 9.99…9E+125 (38 digits), 1E-130',
    documented: 'kept, kept',
    page: TYPES,
    async observe(place) {
      const told = await numbers(place, [`9.${'9'.repeat(37)}E+125`, '1E-130']);
      return told.map((text) => (/^[\d.]+(E[+-]?\d+)?$/.test(text) ? 'kept' : text)).join(', ');
    },
  },
  {
    title: 'what is given back for 1.10, 007, -0, 100',
    documented: '1.1, 7, 0, 100',
    page: `${TYPES}, Number`,
    observe: async (place) => (await numbers(place, ['1.10', '007', '-0', '100'])).join(', '),
  },
];

const emptyBehaviours: readonly Behaviour[] = [
  {
    title: 'an empty text and empty bytes outside keys',
    documented: 'accepted, accepted, kept',
    page: TYPES,
    async observe(place) {
      const text = place.item({ empty: { S: '' } });
      const bytes = place.item({ empty: { B: new Uint8Array() } });
      const outcomes = await outcomesOf(
        () => place.put(text),
        () => place.put(bytes),
      );
      const [back, raw] = [
        (await place.read({ pk: text.pk?.S ?? '', id: 'x' })).empty,
        (await place.read({ pk: bytes.pk?.S ?? '', id: 'x' })).empty,
      ];
      return `${outcomes}, ${back?.S === '' && raw?.B?.length === 0 ? 'kept' : 'not kept'}`;
    },
  },
  {
    title: 'an empty text as partition key, as sort key, and as a key of the index by PutItem',
    documented: [VALIDATION, VALIDATION, VALIDATION].join(', '),
    page: TYPES,
    otherwise: neverMade,
    observe: (place) =>
      outcomesOf(
        () => place.put({ ...place.item(), pk: { S: '' } }),
        () => place.put({ ...place.item(), id: { S: '' } }),
        () => place.put(indexed(place, '', 'x')),
      ),
  },
  {
    title: 'an empty text as a key of the index by UpdateItem, and NULL there',
    documented: `${VALIDATION}, ${VALIDATION}`,
    page: `${TYPES}; Using Global Secondary Indexes`,
    otherwise: neverMade,
    observe: (place) =>
      outcomesOf(
        () => setting(place, { accountPeriod: { S: '' } }),
        () => setting(place, { accountPeriod: { NULL: true } }),
      ),
  },
];

/** An item that the index by-account has to take. */
function indexed(place: Place, accountPeriod: string, occurrence: string) {
  return place.item({ accountPeriod: { S: accountPeriod }, occurrence: { S: occurrence } });
}

/** Sets attributes of a fresh item by UpdateItem, as the adapters write. */
function setting(
  place: Place,
  attributes: Readonly<Record<string, AttributeValue>>,
  key: { readonly pk?: string; readonly id?: string } = {},
): Promise<unknown> {
  const names = Object.keys(attributes);
  const values = Object.entries(attributes).map(([name, value]) => [`:${name}`, value] as const);
  return place.update({
    Key: { pk: { S: key.pk ?? place.fresh() }, id: { S: key.id ?? 'x' } },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(values),
  });
}

/** A key of exactly so many bytes that nothing else has. */
function keyOf(place: Place, bytes: number): string {
  return place.fresh().padEnd(bytes, 'k');
}

/** What is accepted at a limit, and refused one byte beyond it. */
function limited(
  what: readonly [name: string, how?: string],
  bytesMax: number,
  asked: (place: Place, bytes: number) => Promise<unknown>,
  more: Pick<Behaviour, 'isInferred' | 'otherwise'> = {},
): Behaviour {
  const [name, how = ''] = what;
  return {
    title: `${name} of ${bytesMax.toLocaleString('en')} bytes, and of one more${how}`,
    documented: `accepted, ${VALIDATION}`,
    page: QUOTAS,
    otherwise: neverMade,
    observe: (place) =>
      outcomesOf(
        () => asked(place, bytesMax),
        () => asked(place, bytesMax + 1),
      ),
    ...more,
  };
}

const SOME = { a: { S: 'a' } };
const inferred = { isInferred: true } as const;

/** An attribute that makes an item of this key, which has `id` as `x`, so large. */
function fill(pk: string, bytes: number) {
  const others = ['pk', pk, 'id', 'x', 'fill'].join('').length;
  return { fill: { S: 'f'.repeat(bytes - others) } };
}

const sizeBehaviours: readonly Behaviour[] = [
  limited(['a partition key'], PARTITION_KEY_BYTES_MAX, (place, bytes) =>
    setting(place, SOME, { pk: keyOf(place, bytes) }),
  ),
  limited(['a sort key'], SORT_KEY_BYTES_MAX, (place, bytes) =>
    setting(place, SOME, { id: keyOf(place, bytes) }),
  ),
  {
    title: 'a sort key of 513 letters é, which are 1,026 bytes',
    documented: VALIDATION,
    page: `${QUOTAS}, String`,
    otherwise: neverMade,
    observe: (place) => outcomeOf(setting(place, SOME, { id: 'é'.repeat(513) })),
  },
  limited(
    ['a partition key of an index'],
    PARTITION_KEY_BYTES_MAX,
    (place, bytes) =>
      setting(place, { accountPeriod: { S: keyOf(place, bytes) }, occurrence: { S: 'x' } }),
    inferred,
  ),
  limited(
    ['a sort key of an index'],
    SORT_KEY_BYTES_MAX,
    (place, bytes) =>
      setting(place, { accountPeriod: { S: 'sizes' }, occurrence: { S: keyOf(place, bytes) } }),
    inferred,
  ),
  limited(['an item', ', by PutItem'], ITEM_BYTES_MAX, (place, bytes) => {
    const item = place.item();
    return place.put({ ...item, ...fill(item.pk?.S ?? '', bytes) });
  }),
  limited(['an item', ', by UpdateItem'], ITEM_BYTES_MAX, (place, bytes) => {
    const pk = place.fresh();
    return setting(place, fill(pk, bytes), { pk });
  }),
  limited(
    ['an expression'],
    EXPRESSION_BYTES_MAX,
    (place, bytes) =>
      place.update({
        Key: { pk: { S: place.fresh() }, id: { S: 'x' } },
        UpdateExpression: 'SET a = :a'.padEnd(bytes, ' '),
        ExpressionAttributeValues: { ':a': { S: 'a' } },
      }),
    {
      otherwise:
        'The longest expression of the adapters is held to it by `proofs/contract/engines/document.test.ts`.',
    },
  ),
];

const nobody = { S: 'nobody' };

const validationBehaviours: readonly Behaviour[] = [
  {
    title:
      'a value that no expression names, a reserved word, two paths that are one, a change of the key',
    documented: Array(4).fill(VALIDATION).join(', '),
    page: 'Developer Guide, Using expressions in DynamoDB; Error handling with DynamoDB',
    observe: (place) => {
      const ask =
        (UpdateExpression: string, values: UpdateItemCommandInput['ExpressionAttributeValues']) =>
        () =>
          place.update({
            Key: { pk: { S: place.fresh() }, id: { S: 'x' } },
            UpdateExpression,
            ExpressionAttributeValues: values,
          });
      return outcomesOf(
        ask('SET a = :a', { ':a': nobody, ':b': nobody }),
        ask('SET owner = :a', { ':a': nobody }),
        ask('SET a = :a, a = :a', { ':a': nobody }),
        ask('SET pk = :a', { ':a': nobody }),
      );
    },
  },
  {
    title: 'a key of another type, and a table that is not there',
    documented: `${VALIDATION}, ResourceNotFoundException`,
    page: 'Developer Guide, Error handling with DynamoDB',
    observe: (place) =>
      outcomesOf(
        () => place.put({ ...place.item(), id: { N: '7' } }),
        () =>
          place.client.send(
            new PutItemCommand({ TableName: 'Tollbridge-nowhere', Item: place.item() }),
          ),
      ),
  },
  {
    title: 'the ledger’s adapter, given a row of over 400 KB, an empty key and a missing table',
    documented: 'TerminalError, TerminalError, RetryableError',
    page: 'Developer Guide, Error handling with DynamoDB',
    observe: (place) => {
      const write = writeOf(bodyWith({ id: JSON.stringify(place.fresh()) }));
      const large = { ...write, first: { ...write.first, body: 'x'.repeat(ITEM_BYTES_MAX) } };
      const ledger = createLedgerTable(place.client, place.tables.ledger);
      return outcomesOf(
        () => ledger.book(large),
        () => ledger.book({ ...write, key: { ...write.key, id: '' } }),
        () => createLedgerTable(place.client, 'Tollbridge-nowhere').book(write),
      );
    },
  },
  {
    title: '60 writes at once to a provisioned table of one unit',
    documented: 'ProvisionedThroughputExceededException, once the burst is used up',
    page: 'Developer Guide, Error handling with DynamoDB',
    otherwise:
      'The local cloud refuses by chance (`--throttle`), in the shape that AWS documents; `test/lambda/adapters.test.ts` holds the adapters to it.',
    notOnAws: 'it takes five minutes to use up the burst of a new table',
    observe: throttling,
  },
];

async function throttling({ client, tables }: Place): Promise<string> {
  const TableName = `${tables.ledger}-provisioned`;
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
    }),
  );
  try {
    await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName });
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        outcomeOf(client.send(new PutItemCommand({ TableName, Item: { pk: { S: `${n}` } } }))),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome !== 'accepted');
    return refused.length === 0 ? 'all accepted' : [...new Set(refused)].sort().join(', ');
  } finally {
    await client.send(new DeleteTableCommand({ TableName }));
  }
}

export const limitBehaviours: readonly Behaviour[] = [
  ...numberBehaviours,
  ...emptyBehaviours,
  ...sizeBehaviours,
  ...validationBehaviours,
];
