/** The one write as engines do it: what it answers, what a refusal tells, who wins a race. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { epochMillis } from '../../../core/base/time.ts';
import type { ExactlyOnceWrite } from '../../../core/guarantees/exactly-once/row.ts';
import { existingRowVerdict } from '../../../core/guarantees/verdict.ts';
import { createLedgerTable, exactlyOnceUpdate } from '../../../lambda/adapters/exactly-once.ts';
import { bodyWith, NOW, writeOf } from '../../../tools/handlers/samples.ts';
import type { Item } from '../../../tools/stores/engines.ts';
import { type Behaviour, countOf, type Place } from './behaviour.ts';

const CONDITIONAL = 'ConditionalCheckFailedException';
const API = (operation: string) => `API Reference, ${operation}`;
const RACES = 200;
const RACES_AT_ONCE = 20;

function ledgerWrite(
  place: Place,
  changes: { readonly deliveryId?: string } = {},
): ExactlyOnceWrite {
  return writeOf(bodyWith({ id: JSON.stringify(place.fresh()) }), changes);
}

/** A copy of a write: another delivery, a minute later. */
function copyOf(write: ExactlyOnceWrite, deliveryId: string): ExactlyOnceWrite {
  const body = String(write.first.body);
  return writeOf(body, { deliveryId }, epochMillis(NOW + 60_000));
}

/** What a write that is refused tells of the item that refused it. */
async function refusal(asked: Promise<unknown>, standing: Item | undefined): Promise<string> {
  try {
    await asked;
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    if (error.Item === undefined) return `${CONDITIONAL} without an item`;
    const whole =
      standing !== undefined &&
      JSON.stringify(sorted(error.Item)) === JSON.stringify(sorted(standing));
    return whole ? `${CONDITIONAL} with the whole old item` : `${CONDITIONAL} with another item`;
  }
}

function sorted(item: Item): readonly unknown[] {
  return Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
}

const never = {
  ConditionExpression: 'attribute_not_exists(pk)',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const;

const refusalToRead =
  'The adapter reads the row with one consistent read, on that path alone (`lambda/adapters/table-rows.ts`).';

const answers: readonly Behaviour[] = [
  {
    title: 'the one write, first delivery: `ALL_OLD` answers, and what is written',
    documented: 'nothing; every attribute, tries 1',
    page: API('UpdateItem'),
    async observe(place) {
      const write = ledgerWrite(place);
      const answer = await place.update(exactlyOnceUpdate(write));
      const row = await place.read(write.key);
      const wanted = [...Object.keys(write.first), 'pk', 'id', 'tries', 'lastSeenAt'];
      const missing = wanted.filter((name) => row[name] === undefined);
      const all = missing.length === 0 ? 'every attribute' : `not ${missing.join(', ')}`;
      const said = Object.keys(answer).length === 0 ? 'nothing' : Object.keys(answer).join(', ');
      return `${said}; ${all}, tries ${row.tries?.N}`;
    },
  },
  {
    title: 'the one write, a copy: `if_not_exists` and `ADD`',
    documented: 'first attributes as they were, NULL too, tries 2',
    page: 'Developer Guide, Update expressions',
    async observe(place) {
      const write = ledgerWrite(place);
      await place.update(exactlyOnceUpdate(write));
      const before = await place.update(exactlyOnceUpdate(copyOf(write, 'copy')));
      const after = await place.read(write.key);
      const changed = Object.keys(write.first).filter(
        (name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]),
      );
      const kept = changed.length === 0 ? 'first attributes as they were' : `changed: ${changed}`;
      const withNull = before.epoch?.NULL === true ? ', NULL too' : '';
      return `${kept}${withNull}, tries ${after.tries?.N}`;
    },
  },
  {
    title: 'a condition that compares a number with a text, or with nothing',
    documented: `${CONDITIONAL} without an item, ${CONDITIONAL} without an item`,
    isInferred: true,
    page: 'Developer Guide, Comparison operator and function reference',
    async observe(place) {
      const item = place.item({ word: { S: '7' } });
      await place.put(item);
      const asked = (name: string) =>
        place.client.send(
          new PutItemCommand({
            TableName: place.tables.ledger,
            Item: item,
            ConditionExpression: `${name} < :n`,
            ExpressionAttributeValues: { ':n': { N: '9' } },
          }),
        );
      return `${await refusal(asked('word'), item)}, ${await refusal(asked('absent'), item)}`;
    },
  },
];

const refusals: readonly Behaviour[] = [
  {
    title: 'the one write refused, `ALL_OLD` asked for',
    documented: `${CONDITIONAL} with the whole old item`,
    page: `${API('UpdateItem')}, ReturnValuesOnConditionCheckFailure`,
    otherwise: refusalToRead,
    async observe(place) {
      const write = ledgerWrite(place);
      await place.update(exactlyOnceUpdate(write));
      const standing = await place.read(write.key);
      const other = writeOf(`${write.first.body} `, { deliveryId: 'other' });
      return refusal(place.update(exactlyOnceUpdate(other)), standing);
    },
  },
  {
    title: 'PutItem refused, `ALL_OLD` asked for',
    documented: `${CONDITIONAL} with the whole old item`,
    page: `${API('PutItem')}, ReturnValuesOnConditionCheckFailure`,
    otherwise: 'A renewal does not ask for it.',
    async observe(place) {
      const item = place.item({ bytes: { B: Uint8Array.of(0, 255) }, none: { NULL: true } });
      await place.put(item);
      const request = { TableName: place.tables.ledger, Item: item, ...never };
      return refusal(place.client.send(new PutItemCommand(request)), item);
    },
  },
  {
    title: 'DeleteItem refused, `ALL_OLD` asked for',
    documented: `${CONDITIONAL} with the whole old item`,
    page: `${API('DeleteItem')}, ReturnValuesOnConditionCheckFailure`,
    otherwise: 'No function deletes a row.',
    async observe(place) {
      const { pk, id } = place.item();
      const item = { pk: pk ?? { S: '' }, id: id ?? { S: '' } };
      await place.put(item);
      const request = { TableName: place.tables.ledger, Key: item, ...never };
      return refusal(place.client.send(new DeleteItemCommand(request)), item);
    },
  },
  {
    title: 'UpdateItem refused where no row stands, and one refused without asking for `ALL_OLD`',
    documented: `${CONDITIONAL} without an item, ${CONDITIONAL} without an item`,
    isInferred: true,
    page: `${API('UpdateItem')}, ReturnValuesOnConditionCheckFailure`,
    async observe(place) {
      const item = place.item();
      const Key = { pk: item.pk ?? { S: '' }, id: { S: 'x' } };
      const asked = (condition: string, returned: 'ALL_OLD' | 'NONE') =>
        place.client.send(
          new UpdateItemCommand({
            TableName: place.tables.ledger,
            Key,
            UpdateExpression: 'SET seen = :yes',
            ConditionExpression: condition,
            ExpressionAttributeValues: { ':yes': { S: 'yes' } },
            ReturnValuesOnConditionCheckFailure: returned,
          }),
        );
      const absent = await refusal(asked('attribute_exists(pk)', 'ALL_OLD'), undefined);
      await place.put(item);
      return `${absent}, ${await refusal(asked('attribute_not_exists(pk)', 'NONE'), item)}`;
    },
  },
];

const races: readonly Behaviour[] = [
  {
    title: `${RACES} races of five deliveries for one id: one is accepted, four are duplicates`,
    documented: `${RACES} of ${RACES}`,
    page: 'Developer Guide, Working with items, Atomic counters: writes are applied in the order of their arrival',
    isLong: true,
    observe: (place) =>
      countOf(RACES, RACES_AT_ONCE, async () => {
        const write = ledgerWrite(place);
        const racers = Array.from({ length: 5 }, (_, n) => copyOf(write, `racer-${n}`));
        const kinds = await Promise.all(racers.map((racer) => bookedAs(place, racer)));
        const { tries } = await place.read(write.key);
        return tries?.N === '5' && kinds.sort().join() === `accepted${',duplicate'.repeat(4)}`;
      }),
  },
  {
    title: `${RACES} races of one delivery with itself, as by a retry: one is accepted, one resumed`,
    documented: `${RACES} of ${RACES}`,
    page: 'Developer Guide, Working with items, Atomic counters: writes are applied in the order of their arrival',
    isLong: true,
    observe: (place) =>
      countOf(RACES, RACES_AT_ONCE, async () => {
        const write = ledgerWrite(place);
        const kinds = await Promise.all([bookedAs(place, write), bookedAs(place, write)]);
        return kinds.sort().join() === 'accepted,resumed';
      }),
  },
  {
    title: `a consistent read at once after a refusal shows the row that refused, ${RACES} times`,
    documented: `${RACES} of ${RACES}`,
    page: 'Developer Guide, Read consistency',
    isLong: true,
    observe: (place) =>
      countOf(RACES, RACES_AT_ONCE, async () => {
        const write = ledgerWrite(place);
        const other = writeOf(`${write.first.body} `, { deliveryId: 'other' });
        const results = await Promise.all(
          [write, other].map(async (one) => {
            const refused = await place
              .update(exactlyOnceUpdate(one))
              .catch((error: unknown) => error);
            if (!(refused instanceof ConditionalCheckFailedException)) return 'written';
            const { firstDeliveryId } = await place.read(one.key);
            return firstDeliveryId?.S === one.first.firstDeliveryId ? 'own' : firstDeliveryId?.S;
          }),
        );
        return results.sort().join() === 'delivery-1,written' || results.join() === 'other,written';
      }),
  },
];

async function bookedAs(place: Place, write: ExactlyOnceWrite): Promise<string> {
  const result = await createLedgerTable(place.client, place.tables.ledger).book(write);
  if (result.kind === 'refused') return result.kind;
  if (result.kind === 'written') return 'accepted';
  return existingRowVerdict(result.row, [write.first.firstDeliveryId]).kind;
}

export const writeBehaviours: readonly Behaviour[] = [...answers, ...refusals, ...races];
