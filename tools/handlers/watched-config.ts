/** A route of each guarantee that the sample's body serves, with everything that can be counted. */
import { defineConfig } from '../../core/config/route.ts';
import { payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { charges } from './samples.ts';

export const watchedConfig = defineConfig({
  name: 'watched',
  alarms: {
    email: 'ops@example.com',
    runbook: 'https://wiki.example.com/bridge/runbook',
    silence: { charges: { hours: 6 }, events: { minutes: 30 } },
  },
  routes: {
    charges,
    events: {
      guarantee: 'deduplicated',
      topic: 'events/+/charges',
      device: topicLevel(2),
      id: payload('id'),
      time: payload('at'),
      window: { days: 7 },
      onStoreDown: 'forward',
      forward: 'deduplicated/{topic}',
    },
    status: {
      guarantee: 'latest',
      topic: 'status/+',
      device: topicLevel(2),
      version: timestamp('at'),
      forward: 'newest/{topic}',
    },
  },
});
