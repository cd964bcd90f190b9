import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { ruleSql } from '../../core/message/envelope.ts';
import { handshakeRouteOf } from '../../core/wire/handshake-route.ts';
import config from '../../tollbridge.config.ts';
import {
  otherConfig,
  type Properties,
  resourceOf,
  resourcesOf,
  templatesOf,
  threeConfig,
} from './templates.ts';

describe.each([
  { name: 'tollbridge', written: config },
  { name: 'water', written: otherConfig },
  { name: 'fleet', written: threeConfig },
])('the handshake of $name', ({ name, written }) => {
  const template = templatesOf(written).ingestTemplate;
  const answering = resourceOf(template, 'AWS::Lambda::Function', /^HandshakeAnswerFunction/);

  it.each(['release', 'query'])(
    'has a rule of its own for %s, straight to its function',
    (kind) => {
      const rule = resourcesOf(template, 'AWS::IoT::TopicRule').find(
        ({ properties }) => properties.RuleName === `${name}_handshake_${kind}`,
      );
      expect(rule?.properties.TopicRulePayload).toMatchObject({
        Sql: ruleSql(`tollbridge/+/${kind}`),
        AwsIotSqlVersion: '2016-03-23',
        Actions: [{ Lambda: { FunctionArn: `<${answering.id}.Arn>` } }],
        RuleDisabled: false,
      });
    },
  );

  it('lets its two rules in and no other', () => {
    const sources = resourcesOf(template, 'AWS::Lambda::Permission')
      .filter(({ properties }) => properties.FunctionName === `<${answering.id}.Arn>`)
      .map(({ properties }) => properties.SourceArn);
    expect(sources).toEqual(
      ['release', 'query'].map(
        (kind) =>
          `arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:rule/${name}_handshake_${kind}`,
      ),
    );
  });

  it('keeps nothing that fails: no money is in a request, and the device asks again', () => {
    expect(answering.properties).not.toHaveProperty('DeadLetterConfig');
    const asked = resourceOf(template, 'AWS::Lambda::EventInvokeConfig', /^Handshake/);
    expect(asked.properties).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it('has its routes in the bundle, for a function has no room for them in its variables', () => {
    const { Variables } = answering.properties.Environment as { readonly Variables: Properties };
    expect(Object.keys(Variables)).not.toContain('ROUTE');
    const routes = checkConfig(written).routes.map(handshakeRouteOf);
    expect(routes.map((route) => route.name)).toEqual(Object.keys(written.routes));
  });
});
