/** Publications through the IoT data plane. */
import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { Publisher } from '../../core/tables/ports.ts';
import { DATA_PLANE_TERMINAL, failureOf } from './failure.ts';

export function createDataPlane(client: IoTDataPlaneClient): Publisher {
  return {
    async publish({ topic, payload, qos, userProperties }) {
      try {
        await client.send(
          new PublishCommand({
            topic,
            payload: Buffer.from(payload),
            qos,
            // The API wants a JSON array of one-pair objects; the client encodes it.
            ...(userProperties && {
              userProperties: JSON.stringify(
                userProperties.map(([name, value]) => ({ [name]: value })),
              ),
            }),
          }),
        );
      } catch (error) {
        throw failureOf('publishing', error, DATA_PLANE_TERMINAL);
      }
    },
  };
}
