/** Goal: a profile holds what `connect` takes, for every kind of route, and says what it cannot. */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../core/config/check.ts';
import type { Config } from '../../../core/config/route.ts';
import {
  all,
  contentHash,
  correlationData,
  type IdSource,
  payload,
  sequence,
  timestamp,
  topicLevel,
  userProperty,
} from '../../../core/config/sources.ts';
import { deviceProfile } from '../../../core/operations/device-profile.ts';
import { checkRoutes } from '../../../device/publish/profile.ts';

const device = topicLevel(2);
const windowed = (topic: string, id: IdSource, more: object = {}) =>
  ({ guarantee: 'deduplicated', topic, device, id, window: { minutes: 5 }, ...more }) as const;
const config: Config = {
  name: 'plant',
  routes: {
    charges: windowed('charges/+', payload('meta.id')),
    counted: windowed('counted/+', sequence('seq', { epoch: 'boot' })),
    doors: windowed('doors/+/+/#', contentHash('at', 'type')),
    timed: windowed('timed/+', all(timestamp('at'), payload('connector'))),
    status: { guarantee: 'latest', topic: 'status/+', device, version: timestamp('at') },
    leveled: windowed('leveled/+/+', topicLevel(3)),
    named: windowed('named/+', userProperty('id')),
    joined: windowed('joined/+', all(payload('a'), correlationData())),
    silent: windowed('silent/+', payload('id'), { receipts: 'none' }),
  },
};
const bridge = checkConfig(config);
const short = {
  basicIngest: false,
  handshake: 'short',
  topics: new Map<string, string>(),
} as const;

describe('the profile', () => {
  it('has the topic and the id of each route, as connect takes them', () => {
    const topics = new Map([['doors', 'doors/m-1/front/lock']]);
    const profile = deviceProfile(bridge, 'm-1', { ...short, topics });
    expect(profile.routes).toEqual({
      charges: { topic: 'charges/m-1', idField: 'meta.id' },
      counted: { topic: 'counted/m-1', epochField: 'boot', seqField: 'seq' },
      doors: { topic: 'doors/m-1/front/lock', idFrom: 'body' },
      timed: { topic: 'timed/m-1', idFrom: 'body' },
      status: { topic: 'status/m-1', idFrom: 'body' },
    });
    expect(profile.unfilled).toEqual([]);
    const problems: string[] = [];
    expect(checkRoutes(profile.routes, problems).size).toBe(5);
    expect(problems).toEqual([]);
  });

  it('names the routes that the library cannot serve, each with the reason', () => {
    expect(deviceProfile(bridge, 'm-1', short).unsupported).toEqual([
      expect.stringMatching(/^routes.leveled is left out: its id is topicLevel\(3\): each message/),
      expect.stringMatching(/^routes.named is left out: .*sends no MQTT 5 properties/),
      expect.stringMatching(/^routes.joined is left out: .*sends no MQTT 5 properties/),
      expect.stringMatching(/^routes.silent is left out: it sends no receipts/),
    ]);
  });

  it('says what a bridge that makes the ids means for the device', () => {
    expect(deviceProfile(bridge, 'm-1', short).notes).toEqual([
      expect.stringMatching(/^routes.doors: .*what is equal in them is one message/),
      expect.stringMatching(/^routes.timed: .*two messages that are equal in them conflict/),
      expect.stringMatching(/^routes.status: the newest value wins/),
    ]);
  });

  it('leaves wildcards that the device fills in, and connect refuses them', () => {
    const profile = deviceProfile(bridge, 'm-1', short);
    expect(profile.routes.doors?.topic).toBe('doors/m-1/+/#');
    expect(profile.unfilled).toEqual([expect.stringContaining('--topic doors=TOPIC')]);
    const problems: string[] = [];
    checkRoutes(profile.routes, problems);
    expect(problems).toEqual([
      expect.stringContaining('routes.doors.topic cannot be published on'),
    ]);
  });

  it('goes through Basic Ingest and the full handshake where it is told to', () => {
    const { routes } = deviceProfile(bridge, 'm-1', {
      ...short,
      basicIngest: true,
      handshake: 'full',
    });
    expect(routes.charges).toEqual({
      topic: '$aws/rules/plant_charges/charges/m-1',
      idField: 'meta.id',
      handshake: 'full',
    });
    // A body has no id that could be released.
    expect(routes.timed).toEqual({ topic: '$aws/rules/plant_timed/timed/m-1', idFrom: 'body' });
  });

  it.each<[string, string, RegExp]>([
    ['of no route', 'other', /there are: charges/],
    ['that the filter does not match', 'charges', /does not match it/],
  ])('refuses a topic %s', (_, name, words) => {
    const topics = new Map([[name, 'x/m-1/y']]);
    expect(() => deviceProfile(bridge, 'm-1', { ...short, topics })).toThrow(words);
  });

  it('refuses a topic of another device, or with a wildcard', () => {
    const topic = (text: string) => () =>
      deviceProfile(bridge, 'm-1', { ...short, topics: new Map([['charges', text]]) });
    expect(topic('charges/m-2')).toThrow(/level 2 has to be the device, m-1/);
    expect(topic('charges/+')).toThrow(/wildcard/);
  });
});
