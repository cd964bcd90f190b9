/** Opens servers on this machine, and says clearly when a port is taken. */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';

class PortError extends Error {
  override readonly name = 'PortError';
}

/** Listens and gives the port; 0 takes a free one. */
export async function listenOn(
  server: Server,
  port: number,
  host: string,
  what = 'a server',
): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw portError(cause, port, host, what);
  }
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new PortError(`${what} listens on ${String(address)}, which is no port.`);
}

/** What a failure to listen means, in words; other errors are passed on as they are. */
function portError(cause: unknown, port: number, host: string, what: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') {
    return new PortError(
      `Port ${port} on ${host} is in use (EADDRINUSE), and ${what} wants it: end the program that listens there, often an earlier local cloud, or choose another port; 0 takes any free one.`,
      { cause },
    );
  }
  if (code === 'EACCES') {
    return new PortError(
      `Port ${port} on ${host}, which ${what} wants, may not be opened by this user. Choose one above 1023.`,
      { cause },
    );
  }
  return cause;
}

/** Ends a server with all its connections. */
export async function closeServer(server: HttpServer): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
