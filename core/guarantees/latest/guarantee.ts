/** `latest`: the newest value of a topic wins. */
import type { EpochMillis } from '../../base/time.ts';
import type { LatestRoute } from '../../config/route.ts';
import { sourceText } from '../../config/source-text.ts';
import { readTime } from '../../message/reading.ts';
import type { Guarantee } from '../guarantee.ts';
import { sharedPins } from '../pins.ts';

export interface LatestFacts {
  readonly version: EpochMillis;
}

export const latest: Guarantee<LatestRoute, LatestFacts> = {
  table: 'state',
  tableActions: ['dynamodb:UpdateItem', 'dynamodb:GetItem'],
  hasIds: false,
  countsArrivals: false,
  // An old value is not late: it is stale, or the first of its topic.
  canBeLate: false,
  needsJson: () => true,

  read(route, { topic }, device, body) {
    const version = readTime(route.version.path, body);
    if (!version.ok) return version;
    return {
      ok: true,
      id: undefined,
      key: { pk: device, id: topic },
      facts: { version: version.time },
    };
  },

  timeOf: ({ version }) => version,
  ageMillisMax: () => Number.POSITIVE_INFINITY,
  forwardId: ({ name }, { key, device, facts }) => `${name}#${device}#${key.id}#${facts.version}`,
  sources: ({ version }) => [['version', version]],
  pins: {
    ...sharedPins('looks new, so an old copy can come back as the newest value'),
    version: {
      of: ({ version }) => sourceText(version),
      effect:
        'Versions that are stored came from the old field: where those of the new one are lower, new values are dropped as stale; where they are higher, an old copy can come back as the newest.',
    },
  },
  renamed:
    'what waits in the old queues is not carried over; newest values are kept by device and topic and stay.',
};
