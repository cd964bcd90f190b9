import { describe, expect, it } from 'vitest';
import {
  DEAD_LETTER_RETENTION_DAYS,
  QUEUE_RECEIVES_MAX,
  QUEUE_VISIBILITY_SECONDS,
} from '../../core/base/limits.ts';
import { checkConfig } from '../../core/config/check.ts';
import type { Config } from '../../core/config/route.ts';
import { ALARM_KINDS, type AlarmWhat } from '../../core/operations/alarm-kinds.ts';
import { alarmsOf, RUNBOOK, runbookSection } from '../../core/operations/alarms.ts';
import { buildApp } from '../../lib/build-app.ts';
import config from '../../tollbridge.config.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { watchedConfig } from '../../tools/handlers/watched-config.ts';
import { alarmsIn, bridgeOf, bridges } from './ops-metrics.ts';
import {
  inventoryOf,
  otherConfig,
  type Properties,
  resourceOf,
  resourcesOf,
  testApp,
} from './templates.ts';

const first = bridgeOf('tollbridge');
const watched = bridgeOf('watched');

describe('the ops stack', () => {
  it('holds alarms, a topic with its key, and a dashboard, and nothing else', () => {
    expect(inventoryOf(first.template)).toEqual({
      'AWS::CloudWatch::Alarm': alarmsOf(first.bridge).length,
      'AWS::CloudWatch::Dashboard': 1,
      'AWS::KMS::Key': 1,
      'AWS::SNS::Topic': 1,
      'AWS::SNS::TopicPolicy': 1,
    });
    expect(inventoryOf(watched.template)).toEqual({
      'AWS::CloudWatch::Alarm': alarmsOf(watched.bridge).length,
      'AWS::CloudWatch::Dashboard': 1,
      'AWS::KMS::Key': 1,
      'AWS::SNS::Subscription': 1,
      'AWS::SNS::Topic': 1,
      'AWS::SNS::TopicPolicy': 1,
    });
  });

  it('can be deleted whole: it keeps nothing and nothing imports from it', () => {
    const { ops, state, ingest } = first.built;
    for (const { resource } of resourcesOf(first.template)) {
      expect(resource.DeletionPolicy ?? 'Delete').toBe('Delete');
    }
    expect(state.dependencies).not.toContain(ops);
    expect(ingest.dependencies).not.toContain(ops);
    expect(JSON.stringify(first.template.toJSON().Outputs)).not.toContain('Export');
  });

  it('imports what the state stack exports already, so that deploying it changes no table', () => {
    const imports = [
      ...JSON.stringify(watched.template.toJSON()).matchAll(/"Fn::ImportValue":"([^"]+)"/g),
    ].map(([, name]) => name);
    const outputs = watched.built.stateTemplate.toJSON().Outputs as Record<
      string,
      { readonly Export?: { readonly Name: string } }
    >;
    const exported = Object.values(outputs).flatMap((output) => output.Export?.Name ?? []);
    expect(imports.length).toBeGreaterThan(0);
    expect(exported).toEqual(expect.arrayContaining(imports));
  });

  it('holds no route in the ingest stack: what it reads there is no export', () => {
    const outputs = watched.built.ingestTemplate.toJSON().Outputs as Record<string, Properties>;
    expect(Object.values(outputs).filter((output) => 'Export' in output)).toEqual([]);
    const read = [
      ...JSON.stringify(watched.template.toJSON()).matchAll(/"OutputName":"([^"]+)"/g),
    ].map(([, name]) => name);
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(read));
  });
});

describe('cdk-nag', () => {
  it('finds nothing in the ops stack, with a subscription or without', () => {
    for (const written of [config, watchedConfig]) {
      const { app } = buildApp(checkConfig(written), testApp());
      expect(() => app.synth()).not.toThrow();
    }
  });
});

describe('the topic', () => {
  const topic = resourceOf(watched.template, 'AWS::SNS::Topic');
  const key = resourceOf(watched.template, 'AWS::KMS::Key');
  const statementsOf = (properties: Properties, name: string) =>
    (properties[name] as { readonly Statement: readonly Properties[] }).Statement;
  const forAlarms = {
    StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' },
    ArnLike: {
      'aws:SourceArn':
        'arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:watched-*',
    },
  };

  it('is encrypted with a key that lets CloudWatch in for these alarms, which AWS’s own never does', () => {
    expect(topic.properties.KmsMasterKeyId).toBe(`<${key.id}.Arn>`);
    expect(key.properties.EnableKeyRotation).toBe(true);
    expect(statementsOf(key.properties, 'KeyPolicy')).toContainEqual({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Condition: forAlarms,
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Resource: '*',
    });
  });

  it('takes publications from these alarms alone, and none without TLS', () => {
    const policy = resourceOf(watched.template, 'AWS::SNS::TopicPolicy');
    const statements = statementsOf(policy.properties, 'PolicyDocument');
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toEqual([
      expect.objectContaining({
        Action: 'sns:Publish',
        Condition: forAlarms,
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    ]);
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  });

  it('mails to the address of the configuration', () => {
    const { properties } = resourceOf(watched.template, 'AWS::SNS::Subscription');
    expect(properties).toMatchObject({ Protocol: 'email', Endpoint: 'ops@example.com' });
  });
});

describe.each(bridges)('the alarms of $name', ({ bridge, template }) => {
  const alarms = alarmsIn(template);
  const kindOf = (name: unknown): AlarmWhat => {
    const alarm = alarmsOf(bridge).find((each) => each.name === name);
    if (alarm === undefined) throw new Error(`the core knows no alarm ${name}`);
    return alarm.what;
  };

  it('are those that the core lists, by names that stay', () => {
    expect(alarms.map(({ AlarmName }) => AlarmName)).toEqual(
      alarmsOf(bridge).map(({ name }) => name),
    );
    expect(new Set(alarms.map(({ AlarmName }) => AlarmName)).size).toBe(alarms.length);
  });

  it('each say what is wrong, how bad it is and where to read on, within 1,024 characters', () => {
    const runbook = bridge.alarms?.runbook ?? RUNBOOK;
    for (const { AlarmName, AlarmDescription, Tags } of alarms) {
      const what = kindOf(AlarmName);
      const { severity, meaning } = ALARM_KINDS[what];
      const text = String(AlarmDescription);
      expect(text).toBe(`[${severity}] ${meaning} ${runbookSection(what, runbook)}`);
      expect(text.length).toBeLessThanOrEqual(1_024);
      expect(Tags).toEqual([{ Key: 'severity', Value: severity }]);
    }
  });

  it('each tell the one topic when they begin and when they end', () => {
    const topic = `<${resourceOf(template, 'AWS::SNS::Topic').id}>`;
    for (const { AlarmActions, OKActions, ActionsEnabled } of alarms) {
      expect([AlarmActions, OKActions]).toEqual([[topic], [topic]]);
      expect(ActionsEnabled ?? true).toBe(true);
    }
  });

  it('each say what missing data means, fire at the documented figure, and in the documented time', () => {
    for (const alarm of alarms) {
      const what = kindOf(alarm.AlarmName);
      const kind = ALARM_KINDS[what];
      expect(alarm.TreatMissingData).toBe(kind.missing);
      expect(kind.missingWhy).not.toBe('');
      expect(alarm.Threshold).toBe(kind.threshold);
      const isSilence = what === 'no-deliveries';
      expect(alarm.ComparisonOperator).toBe(
        isSilence ? 'LessThanThreshold' : 'GreaterThanOrEqualToThreshold',
      );
      if (isSilence) continue;
      expect([alarm.DatapointsToAlarm, alarm.EvaluationPeriods]).toEqual([
        kind.datapoints,
        kind.periods,
      ]);
      expect(periodsIn(alarm)).toEqual(new Set([kind.periodSeconds]));
    }
  });

  it('stay within what CloudWatch evaluates: three hours of a query, ten metrics of an expression', () => {
    for (const alarm of alarms) {
      const queries = (alarm.Metrics ?? []) as readonly Properties[];
      expect(queries.filter(({ MetricStat }) => MetricStat !== undefined).length).toBeLessThan(11);
      if (!queries.some(({ Expression }) => String(Expression).startsWith('SELECT'))) continue;
      const [period] = periodsIn(alarm);
      expect(Number(alarm.EvaluationPeriods) * Number(period)).toBeLessThanOrEqual(3 * 3_600);
    }
  });
});

/** Of the alarm, or of each metric in its expression; an expression over metrics has none. */
function periodsIn(alarm: Properties): ReadonlySet<number> {
  if (alarm.Period !== undefined) return new Set([Number(alarm.Period)]);
  const periods = (alarm.Metrics as readonly Properties[]).flatMap(({ Period, MetricStat }) => {
    const period = Period ?? (MetricStat as Properties | undefined)?.Period;
    return period === undefined ? [] : [Number(period)];
  });
  return new Set(periods);
}

describe('which alarms a bridge has', () => {
  const whatsOf = (written: Config, subject: string) =>
    alarmsOf(checkConfig(written))
      .filter((each) => each.subject === subject)
      .map(({ what }) => what);

  it('leaves out what cannot happen on a route', () => {
    const whats = whatsOf(otherConfig, 'meters');
    // No forward, no receipts, no silence said, no `onStoreDown`.
    for (const what of ['unforwardable', 'receipts-lost', 'no-deliveries', 'unverified'] as const) {
      expect(whats).not.toContain(what);
    }
    expect(whats).toContain('wrong-device');
    // A gateway is trusted there.
    expect(whatsOf(otherConfig, 'pumps')).not.toContain('wrong-device');
    expect(whatsOf(watchedConfig, 'events')).toContain('unverified');
    expect(whatsOf(watchedConfig, 'status')).not.toContain('no-deliveries');
  });

  it('watches the tables that its routes write to, and no others', () => {
    const subjects = new Set(alarmsOf(checkConfig(config)).map(({ subject }) => subject));
    expect([...subjects]).toEqual(['charges', 'ledger', 'quarantine', 'handshake', 'broker']);
  });

  it('never gives one name twice, whatever the routes are called', () => {
    const names = ['ledger', 'deliveries', 'state', 'quarantine', 'handshake', 'broker'];
    const routes = names.map((name) => [
      name,
      { ...charges, topic: `${name}/+/x`, forward: `out/${name}` },
    ]);
    const bridge = checkConfig({ routes: Object.fromEntries(routes) });
    const all = alarmsOf(bridge).map(({ name }) => name);
    expect(new Set(all).size).toBe(all.length);
  });

  it('looks at silence hour by hour for hours, and in one go for minutes', () => {
    const silences = alarmsIn(watched.template)
      .filter(({ AlarmName }) => String(AlarmName).endsWith('-no-deliveries'))
      .map((alarm) => [
        alarm.AlarmName,
        alarm.Period,
        alarm.EvaluationPeriods,
        alarm.DatapointsToAlarm,
      ]);
    expect(silences).toEqual([
      ['watched-charges-no-deliveries', 3_600, 6, 6],
      ['watched-events-no-deliveries', 1_800, 1, 1],
    ]);
  });

  it('says that a dead letter is a week old while there is still a week to save it', () => {
    const { threshold } = ALARM_KINDS['dead-letters-old'];
    expect(threshold).toBe((DEAD_LETTER_RETENTION_DAYS / 2) * 86_400);
  });

  it('hears of retries long before the queue gives up', () => {
    const { periodSeconds, periods } = ALARM_KINDS.retries;
    const givesUpAfter = QUEUE_VISIBILITY_SECONDS * QUEUE_RECEIVES_MAX;
    expect(periodSeconds * periods).toBeLessThan(givesUpAfter / 10);
    // Each try of a delivery falls into some period, so that none of them is empty.
    expect(periodSeconds).toBeGreaterThan(QUEUE_VISIBILITY_SECONDS);
  });
});
