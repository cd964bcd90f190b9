/**
 * Who is connected, with which certificate, and why a connection ends. Owns the map from client id
 * to connection and the first reason given for each end.
 *
 * Invariants: a client id stands for the newest connection that was let in; each connection that
 * sent something is told of in one `disconnect` event.
 */
import type { Client } from 'aedes';
import type { Observer } from '../contracts.ts';
import type { Publication } from './connection-rules.ts';

/** What a CONNECT asks for. */
interface ConnectPacketParts {
  readonly clientId: string;
  readonly will: Publication | undefined;
}

export interface Sessions {
  /** A connection has come; with TLS it has shown this certificate. */
  opened(client: Client, certificateId: string | undefined): void;
  certificateIdOf(client: Client): string | undefined;
  /** A CONNECT has come; the request is remembered. */
  arriving(client: Client, request: ConnectPacketParts): void;
  requestOf(client: Client): ConnectPacketParts | undefined;
  /** The client is let in: an older connection of its id has to go (MQTT-3.1.4-2). */
  takeOver(client: Client): void;
  connected(client: Client): void;
  /** Remembers why the connection is about to end; the first reason counts. */
  endsBecause(client: Client, reason: string): void;
  /** Ends every connection that has shown this certificate. */
  endAllOf(certificateId: string, reason: string): void;
  /** The connection's socket is closed. */
  ended(client: Client): void;
  clientIds(): readonly string[];
}

export function createSessions(observe: Observer): Sessions {
  const byId = new Map<string, Client>();
  const requests = new WeakMap<Client, ConnectPacketParts>();
  const reasons = new WeakMap<Client, string>();
  const certified = new Map<Client, string>();

  function endsBecause(client: Client, reason: string): void {
    if (!reasons.has(client)) reasons.set(client, reason);
  }

  return {
    opened(client, certificateId) {
      if (certificateId !== undefined) certified.set(client, certificateId);
    },
    certificateIdOf: (client) => certified.get(client),
    arriving: (client, request) => void requests.set(client, request),
    requestOf: (client) => requests.get(client),
    takeOver(client) {
      const older = byId.get(requests.get(client)?.clientId ?? '');
      if (older !== undefined) endsBecause(older, 'another connection took over its client id');
    },
    connected(client) {
      const older = byId.get(client.id);
      byId.set(client.id, client);
      // aedes has ended the older connection, unless its own books are wrong: when an id comes
      // back while its connection is just ending, it strikes the newer one off them.
      if (older !== undefined && older !== client && !older.closed) older.close();
    },
    endsBecause,
    endAllOf(certificateId, reason) {
      for (const [client, id] of certified) {
        if (id !== certificateId) continue;
        endsBecause(client, reason);
        client.close();
      }
    },
    ended(client) {
      certified.delete(client);
      if (byId.get(client.id) === client) byId.delete(client.id);
      const request = requests.get(client);
      const reason = reasons.get(client);
      if (request === undefined && reason === undefined) return;
      // Before a CONNECT there is no client id.
      const clientId = request?.clientId ?? '';
      observe({
        kind: 'disconnect',
        clientId,
        reason: reason ?? 'the client ended the connection',
      });
    },
    clientIds: () => [...byId.keys()].sort(),
  };
}
