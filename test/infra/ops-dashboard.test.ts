import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { defineConfig } from '../../core/config/route.ts';
import { alarmsOf, RUNBOOK, runbookSection } from '../../core/operations/alarms.ts';
import { METRIC, METRICS_NAMESPACE, unitOf } from '../../core/operations/metrics.ts';
import { driveBridge, emittedBy } from '../../tools/handlers/emf.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { AWS_METRICS } from './aws-metrics.ts';
import { bridgeOf, bridges, metricsIn, widgetsIn } from './ops-metrics.ts';
import { resourceOf, templatesOf } from './templates.ts';

const watched = bridgeOf('watched');

describe('every metric that is shown or alarmed on', () => {
  it('of AWS has the name and the dimensions of AWS’s pages', () => {
    for (const { template } of bridges) {
      const ofAws = metricsIn(template).filter(({ namespace }) => namespace !== METRICS_NAMESPACE);
      expect(ofAws.length).toBeGreaterThan(20);
      for (const { by, namespace, name, dimensions } of ofAws) {
        expect([by, name, Object.keys(dimensions).sort()]).toEqual([
          by,
          name,
          AWS_METRICS[namespace]?.[name],
        ]);
      }
    }
  });

  it('of AWS is in the pinned list for a reason: it is shown somewhere', () => {
    const shown = new Set(
      metricsIn(watched.template).map((each) => `${each.namespace} ${each.name}`),
    );
    const pinned = Object.entries(AWS_METRICS).flatMap(([namespace, metrics]) =>
      Object.keys(metrics).map((name) => `${namespace} ${name}`),
    );
    expect(pinned.filter((name) => !shown.has(name))).toEqual([]);
  });

  it('of ours is emitted by the handlers under the same name, with the same dimensions', async () => {
    const emitted = await emittedBy(watched.bridge.name, () => driveBridge(watched.bridge));
    const series = new Set(emitted.map(({ name, dimensions }) => seriesOf(name, dimensions)));
    const names = new Set(emitted.map(({ name }) => name));
    const own = metricsIn(watched.template).filter((each) => each.namespace === METRICS_NAMESPACE);
    const absent = own.filter(({ name, dimensions }) =>
      Object.values(dimensions).includes(undefined)
        ? !names.has(name)
        : !series.has(seriesOf(name, dimensions)),
    );
    expect(own.length).toBeGreaterThan(60);
    expect(absent).toEqual([]);
  });

  it('of ours leaves none out: whatever is emitted can be seen', () => {
    const shown = new Set(metricsIn(watched.template).map(({ name }) => name));
    expect(Object.values(METRIC).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('is read as what it is: counts as sums, times as percentiles and the longest', () => {
    const own = metricsIn(watched.template).filter((each) => each.namespace === METRICS_NAMESPACE);
    for (const { by, name, statistic } of own) {
      const [metric = METRIC.deliveries] = Object.values(METRIC).filter((each) => each === name);
      const isTime = unitOf(metric) === 'Milliseconds';
      expect([by, /^(p\d+|Maximum)$/.test(statistic)]).toEqual([by, isTime]);
      expect([by, statistic === 'Sum']).toEqual([by, !isTime]);
    }
  });
});

function seriesOf(name: string, dimensions: Readonly<Record<string, string | undefined>>): string {
  return [name, ...Object.entries(dimensions).sort().flat()].join(' ');
}

describe.each(bridges)('the dashboard of $name', ({ bridge, template }) => {
  const widgets = widgetsIn(template);

  it('is named after its stack', () => {
    const { properties } = resourceOf(template, 'AWS::CloudWatch::Dashboard');
    expect(properties.DashboardName).toBe(
      `${bridge.name.slice(0, 1).toUpperCase()}${bridge.name.slice(1)}-Ops`,
    );
  });

  it('shows every alarm, a hundred at most in one widget', () => {
    const shown = widgets
      .filter(({ type }) => type === 'alarm')
      .map(({ properties }) => properties.alarms as readonly string[]);
    expect(shown.flat()).toHaveLength(alarmsOf(bridge).length);
    expect(Math.max(...shown.map((alarms) => alarms.length))).toBeLessThanOrEqual(100);
  });

  it('links the section of every alarm', () => {
    const text = widgets
      .filter(({ type }) => type === 'text')
      .map(({ properties }) => properties.markdown)
      .join('\n');
    const runbook = bridge.alarms?.runbook ?? RUNBOOK;
    for (const { what } of alarmsOf(bridge)) {
      expect(text).toContain(`[${what}](${runbookSection(what, runbook)})`);
    }
  });

  it('titles every graph and its axis, and lets none lie on another', () => {
    const cells = new Set<string>();
    for (const { x, y, width, height, type, properties } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
      if (type === 'metric') {
        expect(properties.title).not.toBe('');
        expect(properties).toHaveProperty('yAxis.left.label');
      }
      for (let column = x; column < x + width; column++) {
        for (let line = y; line < y + height; line++) {
          expect(cells.has(`${column},${line}`)).toBe(false);
          cells.add(`${column},${line}`);
        }
      }
    }
  });
});

it('a bridge of many routes still fits: alarms in several widgets', () => {
  const routes = Array.from({ length: 8 }, (_, n) => [
    `route${n}`,
    { ...charges, topic: `billing${n}/+/charges`, forward: `booked${n}/{device}` },
  ]);
  const written = defineConfig({ routes: Object.fromEntries(routes) });
  const template = Template.fromStack(templatesOf(written).ops);
  const shown = widgetsIn(template)
    .filter(({ type }) => type === 'alarm')
    .map(({ properties }) => (properties.alarms as readonly string[]).length);
  expect(shown.length).toBeGreaterThan(1);
  expect(Math.max(...shown)).toBe(100);
});
