/**
 * What has been booked, seen at the store: every write of a function that has landed, by message.
 * It stands where no killed function can hide anything from it.
 */
import type { CloudEvent } from '../../local/contracts.ts';

type TableEvent = Extract<CloudEvent, { kind: 'table' }>;

const KEEPS_NAME = '#firstDeliveryId = if_not_exists(#firstDeliveryId, :firstDeliveryId)';

/** How often a message was booked anew. */
export interface Effect {
  readonly id: string;
  readonly bookings: number;
}

export interface Effects {
  see(event: Pick<TableEvent, 'operation' | 'request' | 'status' | 'answer'>): void;
  list(): readonly Effect[];
}

interface Attribute {
  readonly S?: string;
}
type Item = Readonly<Record<string, Attribute | undefined>>;
interface Update {
  readonly Key: Item;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Item;
}

/**
 * A booking is told by its name: a peer puts a row with a name of its own each time, and a row of
 * the bridge is named by its first delivery. The name is read where the write has landed.
 */
export function createEffects(): Effects {
  const bookings = new Map<string, Set<string>>();
  const book = ({ id, bookingId, firstDeliveryId }: Item) => {
    const name = bookingId?.S ?? firstDeliveryId?.S;
    if (id?.S === undefined || name === undefined) return;
    const known = bookings.get(id.S);
    if (known === undefined) bookings.set(id.S, new Set([name]));
    else known.add(name);
  };
  return {
    see({ operation, request, status, answer }) {
      if (status !== 200) return;
      for (const item of itemsIn(operation, request, answer)) book(item);
    },
    list: () => [...bookings].map(([id, names]) => ({ id, bookings: names.size })),
  };
}

function itemsIn(operation: string, request: Buffer, answer: Buffer): readonly Item[] {
  switch (operation) {
    case 'PutItem':
      return [(JSON.parse(request.toString()) as { Item: Item }).Item];
    case 'UpdateItem': {
      const { Key, UpdateExpression, ExpressionAttributeValues } = JSON.parse(
        request.toString(),
      ) as Update;
      const own = { ...Key, firstDeliveryId: ExpressionAttributeValues?.[':firstDeliveryId'] };
      // The answer is the row that stood before, whose name stays where the write does not change it.
      const { Attributes } = JSON.parse(answer.toString()) as { readonly Attributes?: Item };
      return [UpdateExpression?.includes(KEEPS_NAME) === true ? { ...own, ...Attributes } : own];
    }
    case 'TransactWriteItems': {
      const { TransactItems } = JSON.parse(request.toString()) as {
        TransactItems: readonly { readonly Put?: { readonly Item: Item } }[];
      };
      return TransactItems.flatMap(({ Put }) => (Put === undefined ? [] : [Put.Item]));
    }
    default:
      return [];
  }
}
