/** Bodies of HTTP messages: whole, within their bound, or not at all. */
import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readAll, readUpTo } from '../../../local/api/read-body.ts';
import { closeServer, listenOn } from '../../../local/listen.ts';

const host = '127.0.0.1';
const server = createServer();
const clients: ClientRequest[] = [];
let port = 0;

beforeEach(async () => {
  port = await listenOn(server, 0, host);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await closeServer(server);
});

/** A request whose headers have been read, and the client that sends its body. */
async function arriving(): Promise<{ message: IncomingMessage; client: ClientRequest }> {
  const arrived = once(server, 'request') as Promise<[IncomingMessage]>;
  const client = request({ host, port, method: 'POST' });
  clients.push(client);
  client.on('error', () => {});
  client.flushHeaders();
  const [message] = await arrived;
  return { message, client };
}

it('a body of many chunks is read whole', async () => {
  const { message, client } = await arriving();
  const read = readAll(message);
  for (const part of ['one ', 'two ', 'three']) {
    client.write(part);
    await once(message, 'data');
  }
  client.end();
  expect(String(await read)).toBe('one two three');
});

it('no body is no bytes', async () => {
  const { message, client } = await arriving();
  const read = readAll(message);
  client.end();
  expect(await read).toEqual(Buffer.alloc(0));
});

it('a body as long as its bound is read', async () => {
  const { message, client } = await arriving();
  const read = readUpTo(message, 10);
  client.end('0123456789');
  expect(String(await read)).toBe('0123456789');
});

it('a longer one is given up before it has ended', async () => {
  const { message, client } = await arriving();
  const read = readUpTo(message, 10);
  client.write('0123456789a');
  expect(await read).toBeUndefined();
  expect(message.isPaused()).toBe(true);
});

it('a connection that ends within a body is an error', async () => {
  const { message, client } = await arriving();
  const read = expect(readAll(message)).rejects.toThrow();
  client.write('0123');
  await once(message, 'data');
  client.destroy();
  await read;
});
