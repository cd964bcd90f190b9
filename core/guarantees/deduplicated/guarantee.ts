/** `deduplicated`: one record for an id, within a window. */
import type { EpochMillis } from '../../base/time.ts';
import type { DeduplicatedRoute } from '../../config/route.ts';
import { sourceText } from '../../config/source-text.ts';
import { partsOf } from '../../config/sources.ts';
import { bookingIdOf, keyOf } from '../../message/id.ts';
import { readIdFrom } from '../../message/id-sources.ts';
import { readTime } from '../../message/reading.ts';
import type { Guarantee } from '../guarantee.ts';
import { idPin, sharedPins } from '../pins.ts';

export interface DeduplicatedFacts {
  /** The message's own time, where the route names one. */
  readonly ownTime: EpochMillis | null;
}

const RESENT = 'looks new and is forwarded a second time';

export const deduplicated: Guarantee<DeduplicatedRoute, DeduplicatedFacts> = {
  table: 'dedupRecords',
  // A record whose window is over is replaced as a whole.
  tableActions: ['dynamodb:UpdateItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
  hasIds: true,
  // It may lie beyond the window's end, or push that out.
  countsArrivals: true,
  canBeLate: true,

  needsJson({ id, time, ignoring }) {
    const reads = partsOf(id).some(
      (part) =>
        part.from === 'payload' ||
        part.from === 'sequence' ||
        part.from === 'timestamp' ||
        (part.from === 'content-hash' && part.paths.length > 0),
    );
    return reads || time !== null || ignoring !== null;
  },

  read(route, delivery, device, body) {
    const reading = readIdFrom(route.id, { delivery, body });
    if (!reading.ok) return reading;
    const { id } = reading;
    const own = route.time === null ? undefined : readTime(route.time.path, body);
    if (own !== undefined && !own.ok) return { ...own, id };
    const facts = { ownTime: own?.time ?? null };
    return { ok: true, id, key: keyOf(route.name, device, id), facts };
  },

  timeOf: ({ ownTime }) => ownTime,
  ageMillisMax: ({ windowSeconds }) => windowSeconds * 1_000,
  /** An id can come back, and is then another message: the delivery that opened the window tells. */
  forwardId: (_, { key }, owner) => `${bookingIdOf(key)}#${owner}`,
  sources: ({ id, time }) => [['id', id], ...(time === null ? [] : [['time', time] as const])],
  pins: {
    ...sharedPins(RESENT),
    id: idPin(RESENT),
    time: {
      of: ({ time }) => (time === null ? 'none' : sourceText(time)),
      effect:
        'The window of a message under way is measured by the new field: where that is missing it is rejected, and where it means something else a copy can be late, or forwarded again.',
    },
  },
  renamed: `the name begins every key, so each message that a device sends again ${RESENT}.`,
};
