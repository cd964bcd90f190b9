/** Tells a device that is refused from a network that is down. */
import { ConnectionRefusedError } from '../errors.ts';

/** MQTT 3.1.1 §3.2.2.3 and MQTT 5 §3.2.2.2; 3 and the rest of MQTT 5 are the broker's troubles. */
const CONNACK_REFUSALS: ReadonlyMap<number, string> = new Map([
  [1, 'it does not speak this version of MQTT; set mqttVersion'],
  [2, 'it does not allow this client id; the deviceId has to be the name of the thing'],
  [4, 'the user name or the password is wrong'],
  [5, 'this device is not authorized; look at its certificate, its policy and its deviceId'],
  [0x84, 'it does not speak this version of MQTT; set mqttVersion'],
  [0x85, 'it does not allow this client id; the deviceId has to be the name of the thing'],
  [0x86, 'the user name or the password is wrong'],
  [0x87, 'this device is not authorized; look at its certificate, its policy and its deviceId'],
  [0x8a, 'this device is banned'],
  [0x8c, 'it wants another way to authenticate'],
]);

/** What Node.js says when it does not trust the broker, or cannot use the given files. */
const TLS_REFUSALS: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', "the broker's certificate is not signed by tls.ca"],
  ['SELF_SIGNED_CERT_IN_CHAIN', "the broker's certificate is not signed by tls.ca"],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', "the broker's certificate is not signed by tls.ca"],
  ['UNABLE_TO_GET_ISSUER_CERT', "the broker's certificate is not signed by tls.ca"],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', "the broker's certificate is not signed by tls.ca"],
  ['CERT_SIGNATURE_FAILURE', "the broker's certificate is not signed by tls.ca"],
  ['CERT_HAS_EXPIRED', "the broker's certificate is over, or the clock of this device is wrong"],
  ['CERT_NOT_YET_VALID', "the broker's certificate is not valid yet, or this clock is wrong"],
  ['ERR_TLS_CERT_ALTNAME_INVALID', "the broker's certificate is for another host than the url's"],
]);

/** OpenSSL's names for the alerts with which a broker refuses a certificate. */
const ALERT =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|NO_APPLICATION_PROTOCOL)/;

/** The refusal behind an error of MQTT.js, or undefined when trying again is all there is to do. */
export function refusalOf(error: Error): ConnectionRefusedError | undefined {
  const code: unknown = 'code' in error ? error.code : undefined;
  const why = typeof code === 'number' ? connackRefusal(error, code) : tlsRefusal(code);
  if (why === undefined) return undefined;
  return new ConnectionRefusedError(`the connection was refused: ${why}`, error);
}

function connackRefusal(error: Error, code: number): string | undefined {
  return error.message.startsWith('Connection refused') ? CONNACK_REFUSALS.get(code) : undefined;
}

function tlsRefusal(code: unknown): string | undefined {
  if (typeof code !== 'string') return undefined;
  if (ALERT.test(code)) {
    return `it does not take the certificate of this device (${code}); look at tls.cert and tls.key`;
  }
  return TLS_REFUSALS.get(code);
}
