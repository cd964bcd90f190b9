/** What only the logs know of a message: copies with their own times, failed tries, lost receipts. */
import { ASYNC_AGE_HOURS_MAX } from '../../core/limits.ts';
import { epochMillis } from '../../core/time.ts';
import type { Access } from '../access/access.ts';
import { explained } from '../access/failures.ts';
import { LINES_MAX, openLogs, readNote } from '../access/logs.ts';
import { cellOf, type Item } from '../output/items.ts';
import type { Fact } from './facts.ts';
import type { Findings } from './find.ts';

/** Clocks of rule and function differ a little. */
const MARGIN_MILLIS = 60_000;
/** What failed is tried again for so long, and a forward with it (I4). */
const RETRIES_MILLIS = (ASYNC_AGE_HOURS_MAX + 1) * 3_600_000;

/**
 * Facts from the logs; where they cannot be had, one that says why. A question per delivery that
 * wrote a row, and only around its time: that is where the logs speak of it.
 */
export async function factsOfLogs(access: Access, found: Findings): Promise<readonly Fact[]> {
  const logs = openLogs(access);
  const facts: Fact[] = [];
  for (const { route, item } of [...found.rows, ...found.quarantined]) {
    const deliveryId = cellOf(
      item,
      item.firstDeliveryId === undefined ? 'deliveryId' : 'firstDeliveryId',
    );
    const unknown = (why: string): Fact => {
      return {
        at: null,
        route: route.name,
        what: 'not known',
        detail: `what the logs say of delivery ${deliveryId}: ${why}`,
      };
    };
    if (!/^[\w-]+$/.test(deliveryId)) {
      facts.push(unknown('its id cannot be searched for'));
      continue;
    }
    try {
      const lines = await logs.find(route, deliveryId, rangeOf(item));
      facts.push(...lines.map((line) => factOf(route.name, line)));
      if (lines.length === 0)
        facts.push(unknown('nothing, so no try of it failed while the logs were kept'));
      if (lines.length === LINES_MAX) facts.push(unknown(`more than the ${LINES_MAX} lines above`));
    } catch (error) {
      const reason = explained(error, access.choice);
      facts.push(unknown(reason instanceof Error ? reason.message : String(reason)));
    }
  }
  return facts;
}

function rangeOf(item: Item) {
  const from = Date.parse(cellOf(item, 'receivedAt')) - MARGIN_MILLIS;
  const last = Date.parse(cellOf(item, 'bookedAt') || cellOf(item, 'receivedAt'));
  return { from: epochMillis(from), to: epochMillis(last + RETRIES_MILLIS) };
}

function factOf(route: string, { at, message }: { at: string; message: string }): Fact {
  const {
    message: text,
    timestamp: _,
    level,
    service: __,
    route: ___,
    ...fields
  } = readNote(message) ?? {
    message,
  };
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return { at, route, what: 'log', detail: `${String(level ?? '')} ${String(text)}${rest}`.trim() };
}
