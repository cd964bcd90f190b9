/** What is measured, and in which order it stands in the document. */
import type { DeviceCase } from './device-line.ts';
import type { NativeCase } from './native-lines.ts';

export type MqttVersion = '3.1.1' | '5';

export const versions: readonly MqttVersion[] = ['3.1.1', '5'];

const handshakes = ['short', 'full'] as const;
const qualities = [1, 0] as const;

/** One message at a time, each with a receipt of its own. */
export function singleCases(mqtt: MqttVersion): readonly DeviceCase[] {
  const alone = { mqtt, atOnce: 1, hasWindow: false } as const;
  return handshakes.flatMap((handshake) => [
    ...qualities.flatMap((qos) =>
      [false, true].map((basicIngest) => ({
        ...alone,
        handshake,
        qos,
        receiptsQos: 0 as const,
        basicIngest,
      })),
    ),
    { ...alone, handshake, qos: 1 as const, receiptsQos: 1 as const, basicIngest: false },
  ]);
}

/** Several at once: how many receipts a publication then has depends on the batches of the queue. */
export function gatheredCases(mqtt: MqttVersion): readonly DeviceCase[] {
  const bursts = [
    { atOnce: 10, hasWindow: false },
    { atOnce: 100, hasWindow: false },
    { atOnce: 10, hasWindow: true },
  ];
  return bursts.flatMap((burst) =>
    handshakes.flatMap((handshake) =>
      qualities.map((qos) => ({
        ...burst,
        mqtt,
        handshake,
        qos,
        receiptsQos: 0 as const,
        basicIngest: false,
      })),
    ),
  );
}

/** How often a burst of this case is repeated on one connection. */
export function burstsOf({ atOnce, handshake }: DeviceCase): number {
  if (atOnce === 100) return 1;
  // Releases are gathered for a second, so that each burst takes one.
  return handshake === 'short' ? 10 : 3;
}

export function nativeCases(mqtt: MqttVersion): readonly NativeCase[] {
  return ([1, 2] as const).map((qos) => ({ mqtt, qos, atOnce: 1 }));
}
