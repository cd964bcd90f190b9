/** When a window is opened, pushed or renewed; the texts are pinned. */
import {
  both,
  either,
  rowDoesNotExist,
  rowHasTheseAttributes,
  rowIsOfTheSameBody,
  rowIsOfThisOwner,
} from '../../tables/clauses.ts';

const windowIsOpen = '#windowEndsAtMillis >= :receivedAtMillis';
/** Copies arrive out of order: one that came earlier must not pull the end of the window back. */
const windowEndsNoLater = '#windowEndsAtMillis <= :windowEndsAtMillis';
/** Equal content in a window that began much later is another event, handled before this one. */
const windowIsNotOfLaterEvent = '#windowEndsAtMillis <= :latestEndMillis';
const copyInWindow = [rowIsOfTheSameBody, rowHasTheseAttributes, windowIsOpen];

export const DEDUPLICATED_CONDITION = either(
  rowDoesNotExist,
  both(...copyInWindow, windowIsNotOfLaterEvent),
);
export const PUSHED_DEDUPLICATED_CONDITION = either(
  rowDoesNotExist,
  both(...copyInWindow, windowEndsNoLater),
);
/** The row is still the one that was read: no copy has pushed its window since. */
export const RENEWAL_CONDITION = both(rowIsOfThisOwner, '#windowEndsAtMillis = :oldEndMillis');
export const PUSH_CONDITION = both(rowIsOfThisOwner, windowEndsNoLater);
