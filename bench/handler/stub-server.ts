/** A server that does nothing but answer as DynamoDB and the IoT data plane do. */
import { createServer, type Server } from 'node:http';
import { closeServer, listenOn } from '../../local/listen.ts';

export interface StubServer {
  readonly url: string;
  close(): Promise<void>;
}

const PUBLISHED = JSON.stringify({ message: 'OK' });
const UPDATED = JSON.stringify({
  Attributes: {
    pk: { S: 'charges#meter-0' },
    id: { S: 'f3f0b4a0-5f0e-4a53-9a75-6d6c4e5b1c11' },
    rowVersion: { N: '2' },
    keyVersion: { N: '1' },
    route: { S: 'charges' },
    device: { S: 'meter-0' },
    topic: { S: 'billing/meter-0/charges' },
    body: { S: '{"id":"f3f0b4a0","account":"customer-000815","kWh":"12.480","tariff":"day"}' },
    likeness: { S: '62965412a7bbab44e0158b9b2744ad023b8a716a10611940fc605280836432bf' },
    receivedAt: { S: '2026-11-21T02:14:23.500Z' },
    bookedAt: { S: '2026-11-21T02:14:23.539Z' },
    bookedAtMillis: { N: '1795227263539' },
    principal: { S: 'c4b2d3f5a6978877665544332211ffeeddccbbaa99887766554433221100abcd' },
    firstDeliveryId: { S: '8b0e3c1c-5f0e-4a53-9a75-6d6c4e5b1c11' },
    account: { S: 'customer-000815' },
    amount: { N: '12.48' },
    unit: { S: 'kWh' },
    occurredAt: { S: '2026-11-21T02:14:22.000Z' },
    occurredAtMillis: { N: '1795227262000' },
    epoch: { NULL: true },
    sequence: { NULL: true },
    accountPeriod: { S: 'customer-000815#2026-11#0' },
    occurrence: { S: '2026-11-21T02:14:22.000Z#meter-0#f3f0b4a0' },
    tries: { N: '1' },
    lastSeenAt: { S: '2026-11-21T02:14:23.539Z' },
  },
});

export async function startStubServer(): Promise<StubServer> {
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const isStore = request.headers['x-amz-target'] !== undefined;
      const type = isStore ? 'application/x-amz-json-1.0' : 'application/json';
      response.writeHead(200, { 'content-type': type });
      response.end(isStore ? UPDATED : PUBLISHED);
    });
  });
  const port = await listenOn(server, 0, '127.0.0.1', 'the stub of the store');
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}
