/** A server that does nothing but answer as DynamoDB and the IoT data plane do. */
import { createServer, type Server } from 'node:http';
import { closeServer, listenOn } from '../../local/listen.ts';

export interface StubServer {
  readonly url: string;
  close(): Promise<void>;
}

const PUBLISHED = JSON.stringify({ message: 'OK' });
/** A first delivery asks for the row that stood before: there is none. */
const UPDATED = '{}';

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
