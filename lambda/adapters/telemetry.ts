/** Telemetry by Powertools: JSON log lines, and metrics in CloudWatch's embedded metric format. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE, unitOf } from '../../core/metrics.ts';
import type { Telemetry } from '../../core/ports.ts';

/**
 * The service is the bridge's name, from POWERTOOLS_SERVICE_NAME: two bridges of one account may
 * have routes of the same name, and must not add up.
 */
export function createTelemetry(route: string): Telemetry {
  const logger = new Logger({ persistentKeys: { route } });
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, defaultDimensions: { route } });
  return {
    count: (metric, amount) => {
      const unit = MetricUnit[unitOf(metric)];
      if (amount > 0 || unit !== MetricUnit.Count) metrics.addMetric(metric, unit, amount);
    },
    note: (level, text, fields) => logger[level](text, fields),
    flush: () => metrics.publishStoredMetrics(),
  };
}
