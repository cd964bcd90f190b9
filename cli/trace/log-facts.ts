/** What only the logs know of a message: copies with their own times, failed tries, lost receipts. */

import { ASYNC_AGE_HOURS_MAX } from '../../core/base/limits.ts';
import { epochMillis, toIso } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { COPY_NOTE } from '../../core/operations/copy-note.ts';
import type { BridgeClient } from '../access/access.ts';
import { explained } from '../access/failures.ts';
import {
  isSearchable,
  LINES_MAX,
  type LogLine,
  type LogRange,
  openLogs,
  readNote,
} from '../access/logs.ts';
import { cellOf, type Item } from '../output/items.ts';
import type { Fact } from './facts.ts';
import type { Findings } from './find.ts';

/** Clocks of rule and function differ a little. */
const MARGIN_MILLIS = 60_000;
/** What failed is tried again for so long, and a forward with it (I4). */
const RETRIES_MILLIS = (ASYNC_AGE_HOURS_MAX + 1) * 3_600_000;

/** A device that was off for months sends its copies over months, and Insights charges by the byte. */
const COPIES_MILLIS = 24 * 3_600_000;

/** One look into the logs of a route. */
interface Search {
  readonly route: Route;
  readonly term: string;
  readonly range: LogRange;
  /** What is asked, for a sentence. */
  readonly about: string;
  readonly isWanted: (line: LogLine) => boolean;
  /** Said where no line is found. */
  readonly nothing: string;
}

/**
 * Facts from the logs; where they cannot be had, one that says why. Two questions at most for each
 * row, and only around its time: that is where the logs speak of it.
 */
export async function factsOfLogs(access: BridgeClient, found: Findings): Promise<readonly Fact[]> {
  const logs = openLogs(access);
  const facts: Fact[] = [];
  for (const { route, term, range, about, isWanted, nothing } of searchesOf(found)) {
    const unknown = (why: string) => facts.push(notKnown(route, about, why));
    if (!isSearchable(term)) {
      unknown('that name cannot be searched for safely');
      continue;
    }
    try {
      const lines = await logs.find(route, term, range);
      const wanted = lines.filter(isWanted);
      facts.push(...wanted.map((line) => factOf(route.name, line)));
      if (wanted.length === 0) unknown(nothing);
      if (lines.length === LINES_MAX) unknown(`there are more than the ${LINES_MAX} lines read`);
    } catch (error) {
      const reason = explained(error, access.choice);
      unknown(reason instanceof Error ? reason.message : String(reason));
    }
  }
  return facts;
}

function searchesOf({ rows, quarantined }: Findings): readonly Search[] {
  return [
    ...rows.flatMap(({ route, item }) => [
      deliverySearch(route, item, cellOf(item, 'firstDeliveryId')),
      ...(Number(cellOf(item, 'tries')) > 1 ? [copySearch(route, item)] : []),
    ]),
    ...quarantined.map(({ route, item }) =>
      deliverySearch(route, item, cellOf(item, 'deliveryId')),
    ),
  ];
}

function deliverySearch(route: Route, item: Item, term: string): Search {
  const receivedAt = Date.parse(cellOf(item, 'receivedAt'));
  const last = Date.parse(cellOf(item, 'bookedAt'));
  return {
    route,
    term,
    range: {
      from: epochMillis(receivedAt - MARGIN_MILLIS),
      to: epochMillis(Math.max(receivedAt, Number.isNaN(last) ? 0 : last) + RETRIES_MILLIS),
    },
    about: `what became of delivery ${term}`,
    isWanted: () => true,
    nothing: 'the logs say nothing of it: no try of it failed, or the lines are gone',
  };
}

function copySearch(route: Route, item: Item): Search {
  const [device, id] = [cellOf(item, 'device'), cellOf(item, 'id')];
  const from = Date.parse(cellOf(item, 'receivedAt')) - MARGIN_MILLIS;
  const last = Date.parse(cellOf(item, 'lastSeenAt')) + MARGIN_MILLIS;
  const to = epochMillis(Math.min(last, from + COPIES_MILLIS));
  return {
    route,
    term: id,
    range: { from: epochMillis(from), to },
    about: last > to ? `copies of ${id} (looked for until ${toIso(to)})` : `copies of ${id}`,
    isWanted: ({ message }) => {
      const note = readNote(message);
      return note?.message === COPY_NOTE && note.device === device && note.id === id;
    },
    nothing:
      'the logs name none: the further tries were retries inside the cloud, or the lines are gone',
  };
}

function notKnown({ name }: Route, about: string, why: string): Fact {
  return { at: null, route: name, what: 'not known', detail: `${about}: ${why}` };
}

/** What every line has, and a reader of one message knows. */
const COMMON = new Set(['message', 'timestamp', 'level', 'service', 'route']);

function factOf(route: string, { at, message }: LogLine): Fact {
  const note = readNote(message);
  if (note === undefined) return { at, route, what: 'log', detail: message.trim() };
  const fields = Object.entries(note).filter(([name]) => !COMMON.has(name));
  const rest = fields.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(fields))}`;
  const what = note.message === COPY_NOTE ? COPY_NOTE : 'log';
  return {
    at,
    route,
    what,
    detail: `${String(note.level ?? '')} ${String(note.message)}${rest}`.trim(),
  };
}
