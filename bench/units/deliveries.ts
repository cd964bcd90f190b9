/** Batches as a queue hands them over, of samples whose size, id and device are known. */
import type { SQSEvent } from 'aws-lambda';
import {
  SAMPLE_NOW,
  SAMPLE_PRINCIPAL,
  type SampleCharge,
  sampleBody,
  sampleDevice,
  sampleTopic,
} from '../../cli/cost/sample.ts';
import { recordOf } from '../harness/deliveries.ts';

export interface SampleDelivery extends SampleCharge {
  /** Which of the devices, from 0. */
  readonly device?: number;
  readonly deliveryId: string;
}

/** What the rule's SQL makes of it. */
function envelopeText({ device = 0, deliveryId, ...charge }: SampleDelivery): string {
  const name = sampleDevice(device);
  return JSON.stringify({
    body: Buffer.from(sampleBody(charge)).toString('base64'),
    topic: sampleTopic(name),
    clientId: name,
    principal: SAMPLE_PRINCIPAL,
    receivedAt: SAMPLE_NOW,
    deliveryId,
  });
}

export function queueEvent(deliveries: readonly SampleDelivery[]): SQSEvent {
  return { Records: deliveries.map((each) => recordOf(envelopeText(each), SAMPLE_NOW)) };
}
