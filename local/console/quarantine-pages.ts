/** The quarantine for a person: the list, and one row with both bodies of a conflict. */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { type ComparedField, compareBodies } from './compare.ts';
import { FIELD_CHARS_MAX, shown, shownBytes } from './text.ts';

type Item = Readonly<Record<string, AttributeValue>>;

export interface QuarantineKeyShown {
  readonly pk: string;
  readonly sk: string;
}

interface QuarantineEntry {
  readonly key: QuarantineKeyShown;
  readonly route: string;
  readonly device: string;
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly receivedAt: string;
  readonly tries: string;
  /** What an operator did with it; empty while nobody did. */
  readonly state: string;
}

export interface QuarantineList {
  /** The newest first. */
  readonly entries: readonly QuarantineEntry[];
  readonly rows: number;
  /** There are more rows than are shown. */
  readonly isPartial: boolean;
}

export interface QuarantineDetail extends QuarantineEntry {
  readonly topic: string;
  readonly clientId: string;
  readonly bodyHash: string;
  /** Of a conflict: when the other body was booked. */
  readonly bookedAt: string | null;
  /** The body that came, and for a conflict the booked one beside it, field by field. */
  readonly fields: readonly ComparedField[];
  readonly isConflict: boolean;
  readonly bodyRaw: string;
  readonly bookedRaw: string | null;
}

const ROWS_READ_MAX = 5_000;
const ROWS_SHOWN_MAX = 200;
const RAW_CHARS_MAX = 4_000;

export class QuarantinePages {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async list(): Promise<QuarantineList> {
    const items: Item[] = [];
    const scan = {
      TableName: this.#table,
      // A row can hold two whole bodies, and the list shows neither.
      ProjectionExpression: LISTED.map((_, index) => `#n${index}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(LISTED.map((name, i) => [`#n${i}`, name])),
    };
    let isPartial = false;
    for await (const { Items = [] } of paginateScan({ client: this.#client }, scan)) {
      items.push(...Items);
      isPartial = items.length > ROWS_READ_MAX;
      if (isPartial) break;
    }
    const entries = items
      .map(entryOf)
      .toSorted((one, other) => (one.receivedAt < other.receivedAt ? 1 : -1))
      .slice(0, ROWS_SHOWN_MAX);
    return { entries, rows: items.length, isPartial: isPartial || items.length > entries.length };
  }

  /** Undefined where there is no such row. */
  async detail({ pk, sk }: QuarantineKeyShown): Promise<QuarantineDetail | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#table,
        Key: { pk: { S: pk }, sk: { S: sk } },
        ConsistentRead: true,
      }),
    );
    return Item && detailOf(Item);
  }
}

const LISTED = [
  'pk',
  'sk',
  'route',
  'device',
  'id',
  'reason',
  'detail',
  'receivedAt',
  'tries',
  'decision',
] as const;

function entryOf(item: Item): QuarantineEntry {
  const text = (name: string) => shown(item[name]?.S ?? item[name]?.N ?? '');
  return {
    key: { pk: item.pk?.S ?? '', sk: item.sk?.S ?? '' },
    route: text('route'),
    device: text('device'),
    id: text('id'),
    reason: text('reason'),
    detail: shown(item.detail?.S ?? '', FIELD_CHARS_MAX),
    receivedAt: text('receivedAt'),
    tries: text('tries'),
    state: text('decision'),
  };
}

function detailOf(item: Item): QuarantineDetail {
  const body = bytesOf(item.body);
  const booked = item.bookedBody?.NULL === true ? undefined : bytesOf(item.bookedBody);
  const named = (item.fields?.L ?? []).flatMap(({ S }) => (S === undefined ? [] : [S]));
  return {
    ...entryOf(item),
    topic: shown(item.topic?.S ?? ''),
    clientId: shown(item.clientId?.S ?? ''),
    bodyHash: shown(item.bodyHash?.S ?? ''),
    bookedAt: item.bookedAt?.S === undefined ? null : shown(item.bookedAt.S),
    fields: compareBodies(body ?? new Uint8Array(), booked, named),
    isConflict: booked !== undefined,
    bodyRaw: shownBytes(body ?? new Uint8Array(), RAW_CHARS_MAX),
    bookedRaw: booked === undefined ? null : shownBytes(booked, RAW_CHARS_MAX),
  };
}

function bytesOf(attribute: AttributeValue | undefined): Uint8Array | undefined {
  if (attribute?.S !== undefined) return Buffer.from(attribute.S);
  return attribute?.B;
}
