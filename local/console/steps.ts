/** The words for what happens: steps in the life of a message, and notes beside the stream. */

import { type EpochMillis, toIso } from '../../core/base/time.ts';
import type { Receipt } from '../../core/wire/receipts.ts';
import type { CloudEvent } from '../contracts.ts';
import { hashName, lifeName, type Step } from './message-timeline.ts';
import type { TableNews } from './table-news.ts';
import { shown } from './text.ts';

const DETAIL_CHARS_MAX = 400;

const BOOKING_TEXT = {
  accepted: 'booked',
  resumed: 'found booked by an earlier try of this delivery',
  duplicate: 'a copy: counted in tries, nothing else changed',
} as const;

/** The step that a write is, and the name of the life it belongs to. */
export function stepOf(
  news: TableNews,
  at: EpochMillis,
): { readonly name: string; readonly step: Step } {
  switch (news.kind) {
    case 'booking': {
      const { verdict, added, tries, table, bodyHash } = news;
      const folded = added === 1 ? '' : `, ${added} deliveries in one write`;
      const text = `${BOOKING_TEXT[verdict]} (${table})${folded}; tries is now ${tries}`;
      return { name: lifeName(news.key), step: { at, kind: 'write', text, bodyHash } };
    }
    case 'refused': {
      const text = 'by the row that stands: it has another body, or another window';
      const { bodyHash } = news;
      return { name: lifeName(news.key), step: { at, kind: 'refused', text, bodyHash } };
    }
    case 'copy': {
      const text = `counted on the row that stands (${news.added})`;
      return { name: lifeName(news.key), step: { at, kind: 'copy', text, bodyHash: null } };
    }
    case 'quarantined': {
      const { bodyHash, reason, detail, key } = news;
      const text = `as ${shown(`${reason}: ${detail}`, DETAIL_CHARS_MAX)}`;
      const name = key === undefined ? hashName(bodyHash) : lifeName(key);
      return { name, step: { at, kind: 'quarantine', text, bodyHash } };
    }
    case 'released': {
      const text = news.isMarked
        ? 'by the device; marked in the row'
        : 'by the device; there was no row to mark';
      return { name: lifeName(news.key), step: { at, kind: 'release', text, bodyHash: null } };
    }
  }
}

export function receiptText(receipt: Receipt): string {
  const why = 'reason' in receipt ? ` (${shown(receipt.reason)})` : '';
  const when = 'bookedAt' in receipt ? `, booked at ${toIso(receipt.bookedAt)}` : '';
  return `"${receipt.outcome}"${why}${when}`;
}

/** What is said of an event beside the stream, if anything. */
export function noteOf(event: CloudEvent): readonly [what: string, text: string] | undefined {
  switch (event.kind) {
    case 'fallback':
      return ['fallback', `rule ${event.rule} takes its error action: ${event.reason}`];
    case 'fault':
      return ['fault', `${event.fault} at ${event.where}`];
    case 'dead-letter':
      return ['dead letter', `in ${event.queueName}: ${event.reason}`];
    case 'lost':
      return ['lost', `at ${event.where}, ${event.topic}: ${event.reason}`];
    case 'rule-not-found':
      return ['lost', `Basic Ingest names the rule ${event.rule}, which is not there`];
    case 'disconnect':
      return ['disconnect', `${event.clientId}: ${event.reason}`];
    case 'invocation':
      return event.error === undefined
        ? undefined
        : ['function', `${event.functionName} ended with ${event.outcome}: ${event.error}`];
    case 'delivery':
    case 'table':
    case 'published':
    case 'log':
      return undefined;
  }
}
