/** Telemetry by Powertools: JSON log lines, and metrics in CloudWatch's embedded metric format. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE, type Metric, unitOf } from '../../core/metrics.ts';
import type { Telemetry } from '../../core/ports.ts';

/**
 * The service is the bridge's name, from POWERTOOLS_SERVICE_NAME: two bridges of one account may
 * have routes of the same name, and must not add up.
 */
export function createTelemetry(route: string): Telemetry {
  const logger = new Logger({ persistentKeys: { route } });
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, defaultDimensions: { route } });
  // One sum for each batch: a value for each delivery would be a list of ones in the log.
  const counts = new Map<Metric, number>();
  return {
    count: (metric, amount) => {
      if (unitOf(metric) === 'Count') counts.set(metric, (counts.get(metric) ?? 0) + amount);
      else metrics.addMetric(metric, MetricUnit[unitOf(metric)], amount);
    },
    note: (level, text, fields) => logger[level](text, fields),
    flush: () => {
      for (const [metric, sum] of counts) {
        if (sum > 0) metrics.addMetric(metric, MetricUnit.Count, sum);
      }
      counts.clear();
      metrics.publishStoredMetrics();
    },
  };
}
