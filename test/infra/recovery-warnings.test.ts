import { Annotations as Acknowledged } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig } from '../../core/config/route.ts';
import {
  all,
  correlationData,
  payload,
  topicLevel,
  userProperty,
} from '../../core/config/sources.ts';
import { type BridgeApp, buildApp } from '../../lib/build-app.ts';
import config from '../../tollbridge.config.ts';
import { testApp, threeConfig } from './templates.ts';

const deduplicated = {
  guarantee: 'deduplicated',
  device: topicLevel(2),
  window: { days: 1 },
} as const;

/** Two routes whose ids the error action's envelope does not carry, and one that it does. */
const propertiesConfig = defineConfig({
  routes: {
    orders: { ...deduplicated, topic: 'orders/+', id: userProperty('order-id') },
    calls: { ...deduplicated, topic: 'calls/+', id: all(payload('n'), correlationData()) },
    plain: { ...deduplicated, topic: 'plain/+', id: payload('id') },
  },
});

describe('an id that is in MQTT 5 properties alone', () => {
  it('is warned of at synth, a line for each route, and does not stop it', () => {
    const built = buildApp(checkConfig(propertiesConfig), testApp());
    expect(() => built.app.synth()).not.toThrow();
    const warnings = warningsOf(built);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^routes\.orders\.id .*userProperty\('order-id'\)/);
    expect(warnings[1]).toMatch(/^routes\.calls\.id .*correlationData\(\)/);
  });

  it('can be acknowledged by name, once somebody has decided that this path needs no id', () => {
    const built = buildApp(checkConfig(propertiesConfig), testApp());
    Acknowledged.of(built.ingest).acknowledgeWarning('tollbridge:recovery-id', 'it is known');
    expect(warningsOf(built)).toEqual([]);
  });

  it.each([
    { name: 'the default configuration', written: config },
    { name: 'a route of each guarantee', written: threeConfig },
  ])('is not what $name has, so nothing is warned of', ({ written }) => {
    expect(warningsOf(buildApp(checkConfig(written), testApp()))).toEqual([]);
  });
});

function warningsOf({ ingest }: BridgeApp): readonly string[] {
  return Annotations.fromStack(ingest)
    .findWarning('*', Match.stringLikeRegexp('\\[ack: tollbridge:recovery-id\\]'))
    .map(({ entry }) => String(entry.data));
}
