/**
 * The TLS side of IoT Core's device gateway: who connects shows a certificate, and whoever's is not
 * a registered, active one of the local authority gets no further than the handshake.
 *
 * A client is not told why; the reason goes to `refused`, as on AWS it goes to the logs.
 */
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../core/base/time.ts';
import type { Credentials } from './authority.ts';
import { certificateIdOf } from './keys.ts';
import type { DeviceRegistry } from './registry.ts';

/** What a listener with TLS needs. */
export interface TlsOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly server: Credentials;
  /** Who signs the certificates of devices: PEM. */
  readonly authority: string;
  readonly registry: DeviceRegistry;
}

export interface TlsListenerOptions extends Omit<TlsOptions, 'port'> {
  readonly clock: Clock;
  readonly accepted: (socket: TLSSocket, certificateId: string) => void;
  readonly refused: (reason: string) => void;
}

/** IoT Core's name of MQTT with certificates, which it asks for on port 443. */
const ALPN = 'x-amzn-mqtt-ca';
const HANDSHAKE_MILLIS_MAX = 10_000;

/** Makes the server; it does not listen yet. A client may leave SNI out, as with an IP address. */
export function createTlsListener(options: TlsListenerOptions): Server {
  const { accepted, refused, server: credentials, authority } = options;
  const server = createServer({
    key: credentials.key,
    cert: credentials.certificate,
    ca: authority,
    minVersion: 'TLSv1.2',
    ALPNProtocols: [ALPN],
    handshakeTimeout: HANDSHAKE_MILLIS_MAX,
    requestCert: true,
    // Checked below instead, where the reason can be told.
    rejectUnauthorized: false,
  });
  server.on('secureConnection', (socket) => {
    const found = identify(socket, options);
    if (found.kind === 'device') return accepted(socket, found.certificateId);
    refused(found.reason);
    socket.on('error', () => undefined);
    socket.destroy();
  });
  server.on('tlsClientError', (error) => {
    // Who ends the connection before it began is of no interest.
    if ('code' in error && error.code === 'ECONNRESET') return;
    refused(`the TLS handshake failed: ${error.message.trim()}`);
  });
  return server;
}

type Identification =
  | { readonly kind: 'device'; readonly certificateId: string }
  | { readonly kind: 'refused'; readonly reason: string };

function identify(socket: TLSSocket, { registry, clock }: TlsListenerOptions): Identification {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) {
    return refusal(
      'the client showed no certificate; make one with: npm run -s tollbridge -- device add NAME',
    );
  }
  const certificateId = certificateIdOf(shown.raw);
  const certificate = `the certificate ${certificateId}`;
  // Also for a session that is resumed, in which TLS itself checks nothing again.
  if (Date.parse(shown.validTo) < clock()) {
    return refusal(`${certificate} expired on ${shown.validTo}`);
  }
  if (!socket.authorized) {
    // Typed as an error; it is OpenSSL's code, e.g. CERT_NOT_YET_VALID.
    const code = String(socket.authorizationError);
    return refusal(`${certificate} is not a valid one of the local authority (${code})`);
  }
  const known = registry.certificate(certificateId);
  if (known === undefined) return refusal(`${certificate} is not registered`);
  if (known.status !== 'ACTIVE') return refusal(`${certificate} is ${known.status}`);
  return { kind: 'device', certificateId };
}

function refusal(reason: string): Identification {
  return { kind: 'refused', reason };
}
