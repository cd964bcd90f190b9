/** Counts the requests of one batch. */
import { randomUUID } from 'node:crypto';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { createDataPlane } from '../../lambda/adapters/data-plane.ts';
import { bridgeOn } from '../units/bridge.ts';
import { queueEvent, type SampleDelivery } from '../units/deliveries.ts';
import { clientOf, createTables, SHAPES } from '../units/tables.ts';

export interface Case {
  readonly batch: number;
  /** Devices that take turns in the batch. */
  readonly devices: number;
  /** 20 % of the deliveries, where there are any. */
  readonly copies: 'none' | 'in the batch' | 'of earlier batches';
}

export interface Counted extends Case {
  readonly devicesInBatch: number;
  /** Requests to DynamoDB. */
  readonly store: number;
  /** Publications of receipts, and of forwards. */
  readonly receipts: number;
  readonly forwards: number;
}

const COPY_SHARE = 0.2;
const BODY_BYTES = 300;

const TABLES = { ledger: 'counted-ledger', quarantine: 'counted-quarantine' } as const;

/** Makes the tables of all cases; messages of different cases have different ids. */
export function createCountedTables(engineUrl: string): Promise<void> {
  return createTables(engineUrl, {
    [TABLES.ledger]: SHAPES.ledger,
    [TABLES.quarantine]: SHAPES.quarantine,
  });
}

export async function countCalls(engineUrl: string, each: Case): Promise<Counted> {
  const client = clientOf(engineUrl);
  const published: string[] = [];
  const broker = countedBroker(published);
  let store = 0;
  try {
    const handle = bridgeOn({ client, ...TABLES, publisher: createDataPlane(broker) });
    const { earlier, batch } = deliveriesOf(each);
    if (earlier.length > 0) await handle(queueEvent(earlier));
    published.length = 0;
    // From here on: what booked the earlier ones does not count.
    client.middlewareStack.add(
      (next) => (request) => {
        store++;
        return next(request);
      },
      { step: 'finalizeRequest', name: 'count' },
    );
    await handle(queueEvent(batch));
    const receipts = published.filter((path) => path.includes('tollbridge%2F')).length;
    const devicesInBatch = new Set(batch.map(({ device }) => device)).size;
    return { ...each, devicesInBatch, store, receipts, forwards: published.length - receipts };
  } finally {
    client.destroy();
    broker.destroy();
  }
}

/** The real client; in place of the network, paths are written down and answered with success. */
function countedBroker(published: string[]): IoTDataPlaneClient {
  return new IoTDataPlaneClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ path }: { readonly path: string }) => {
        published.push(path);
        return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
      },
    },
  });
}

interface Planned {
  /** What has been booked before. */
  readonly earlier: readonly SampleDelivery[];
  readonly batch: readonly SampleDelivery[];
}

/** Messages come from the devices in turn, copies among them from first to last. */
function deliveriesOf({ batch, devices, copies }: Case): Planned {
  const count = copies === 'none' ? 0 : Math.round(batch * COPY_SHARE);
  const messages = Array.from({ length: batch - count }, (_, n) => deliveryOf(n, devices));
  const again = (each: SampleDelivery, n: number) => ({ ...each, deliveryId: `again-${n}` });
  switch (copies) {
    case 'none':
      return { earlier: [], batch: messages };
    case 'in the batch':
      return { earlier: [], batch: [...messages, ...messages.slice(0, count).map(again)] };
    case 'of earlier batches': {
      const earlier = Array.from({ length: count }, (_, n) => deliveryOf(batch + n, devices));
      return { earlier, batch: [...messages, ...earlier.map(again)] };
    }
  }
}

function deliveryOf(n: number, devices: number): SampleDelivery {
  return { id: randomUUID(), bytes: BODY_BYTES, device: n % devices, deliveryId: `delivery-${n}` };
}
