/**
 * Goal: what the code says of a metric is what CloudWatch gets. Method: the real handlers and the
 * real telemetry; the lines they write are read as CloudWatch reads them.
 */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import {
  METRIC,
  METRICS_NAMESPACE,
  metricDimensions,
  NO_ROUTE,
  unitOf,
} from '../../core/operations/metrics.ts';
import { createTelemetry } from '../../lambda/adapters/telemetry.ts';
import { driveBridge, type Emitted, emittedBy } from '../../tools/handlers/emf.ts';
import { watchedConfig } from '../../tools/handlers/watched-config.ts';

const bridge = checkConfig(watchedConfig);
const emitted = await emittedBy(bridge.name, () => driveBridge(bridge));
const valuesOf = (route: string, name: string, all: readonly Emitted[] = emitted) =>
  all
    .filter((each) => each.name === name && each.dimensions.route === route)
    .flatMap(({ values }) => values);
const total = (route: string, name: string) =>
  valuesOf(route, name).reduce((sum, value) => sum + value, 0);

describe('every metric', () => {
  it('that has a name is emitted by the handlers, and none besides', () => {
    const names = new Set(emitted.map(({ name }) => name));
    expect([...names].sort()).toEqual(Object.values(METRIC).sort());
  });

  it('is in the one namespace, with the dimensions that readers name and its own unit', () => {
    const routes = [...bridge.routes.map(({ name }) => name), NO_ROUTE];
    for (const { namespace, name, dimensions, unit } of emitted) {
      expect(namespace).toBe(METRICS_NAMESPACE);
      expect(routes).toContain(dimensions.route);
      expect(dimensions).toEqual(metricDimensions(bridge.name, String(dimensions.route)));
      const [metric] = Object.values(METRIC).filter((each) => each === name);
      expect(unit).toBe(metric && unitOf(metric));
    }
  });

  it('carries the name of its bridge, so that two of them do not add up', async () => {
    const other = await emittedBy('other', async () => {
      const telemetry = createTelemetry('charges');
      telemetry.count(METRIC.accepted, 1);
      telemetry.flush();
    });
    expect(other.map(({ dimensions }) => dimensions)).toEqual([
      { service: 'other', route: 'charges' },
    ]);
  });

  it('of what did not happen is left out, but a lag of nothing is a lag', async () => {
    const some = await emittedBy('tollbridge', async () => {
      const telemetry = createTelemetry('charges');
      telemetry.count(METRIC.conflict, 0);
      telemetry.count(METRIC.bookingLag, 0);
      telemetry.flush();
    });
    expect(some.map(({ name, values }) => [name, values])).toEqual([[METRIC.bookingLag, [0]]]);
  });
});

describe('the booking lag', () => {
  it('is the time from the rule to the booking, for bookings and their retries alone', () => {
    // d-1 twice, received 40 ms before; d-11 and d-12 at once. No copy and no rejection has one.
    expect(valuesOf('charges', METRIC.bookingLag)).toEqual([40, 40, 0, 0]);
  });

  it('is never below nothing, when the clock of the rule runs ahead', () => {
    expect(Math.min(...valuesOf('events', METRIC.bookingLag))).toBe(0);
  });
});

describe('rejections', () => {
  it('that have an alarm of their own are counted both ways', () => {
    const { rejected, wrongDevice, late, early, refusedByStore } = METRIC;
    expect(total('charges', wrongDevice)).toBe(1);
    expect(total('charges', late)).toBe(1);
    expect(total('charges', early)).toBe(1);
    expect(total('charges', refusedByStore)).toBe(1);
    // These four, and the body that is no JSON.
    expect(total('charges', rejected)).toBe(5);
  });

  it('of a value that is older than the known one are stale, not late', () => {
    expect(total('status', METRIC.stale)).toBe(1);
    expect(total('status', METRIC.late)).toBe(0);
  });
});
