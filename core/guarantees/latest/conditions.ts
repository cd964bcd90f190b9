/** When a value replaces the one that stands; the text is pinned. */
import { either } from '../../tables/clauses.ts';

const rowIsOlder = '#version < :version';

export const LATEST_CONDITION = either('attribute_not_exists(#version)', rowIsOlder);
