/** Metrics as lines of the log, in CloudWatch's embedded metric format. */

import type { EpochMillis } from '../../core/base/time.ts';
import { METRICS_NAMESPACE, type Metric, unitOf } from '../../core/operations/metrics.ts';

/** CloudWatch reads no more values of a metric from one line. */
export const VALUES_MAX = 100;

/** Values by metric; none of them empty. */
export type MetricValues = ReadonlyMap<Metric, readonly number[]>;

/**
 * As many lines as hold all values.
 * @param dimensions in the order in which CloudWatch lists them
 */
export function metricLines(
  dimensions: Readonly<Record<string, string>>,
  values: MetricValues,
  now: EpochMillis,
): readonly string[] {
  const lines: string[] = [];
  for (let left = values; left.size > 0; left = beyondOneLine(left)) {
    lines.push(metricLine(dimensions, left, now));
  }
  return lines;
}

function beyondOneLine(values: MetricValues): MetricValues {
  const rest = new Map<Metric, readonly number[]>();
  for (const [metric, all] of values) {
    if (all.length > VALUES_MAX) rest.set(metric, all.slice(VALUES_MAX));
  }
  return rest;
}

function metricLine(
  dimensions: Readonly<Record<string, string>>,
  values: MetricValues,
  now: EpochMillis,
): string {
  const fields: Record<string, string | number | readonly number[]> = { ...dimensions };
  const definitions = [];
  for (const [metric, all] of values) {
    definitions.push({ Name: metric, Unit: unitOf(metric) });
    const [first = 0] = all;
    fields[metric] = all.length === 1 ? first : all.slice(0, VALUES_MAX);
  }
  const directive = {
    Namespace: METRICS_NAMESPACE,
    Dimensions: [Object.keys(dimensions)],
    Metrics: definitions,
  };
  return JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics: [directive] }, ...fields });
}
