/** (a) with logger and metrics, which the bridge's function has in its own way. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, SQSEvent } from 'aws-lambda';
import { handler as bare } from './powertools.ts';

const logger = new Logger();
const metrics = new Metrics({ namespace: 'Peer' });

export const handler = async (event: SQSEvent, context: Context) => {
  const answer = await bare(event, context);
  metrics.addMetric('Deliveries', MetricUnit.Count, event.Records.length);
  metrics.publishStoredMetrics();
  if (answer.batchItemFailures.length > 0) logger.warn('deliveries failed', { ...answer });
  return answer;
};
