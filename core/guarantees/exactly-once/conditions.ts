/** When the one write books or counts; the text is pinned, because every promise hangs on it. */
import {
  both,
  either,
  rowDoesNotExist,
  rowHasTheseAttributes,
  rowIsOfTheSameBody,
} from '../../tables/clauses.ts';

export const EXACTLY_ONCE_CONDITION = either(
  rowDoesNotExist,
  both(rowIsOfTheSameBody, rowHasTheseAttributes),
);
