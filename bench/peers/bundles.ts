/** The peers as functions, bundled the way that the bridge's own function is. */
import { join } from 'node:path';
import { type Bundle, bundle } from '../harness/bundle.ts';

export type PeerName = 'powertools' | 'transaction' | 'get-put' | 'empty';

/** What tables call them. */
export const peerTitles: Readonly<Record<PeerName, string>> = {
  powertools: '(a) Powertools Idempotency',
  transaction: '(b) TransactWriteItems',
  'get-put': '(c) get, then put',
  empty: 'an empty function',
};

/** Only started, never called with charges: what (a) and the bridge's function are made of. */
export type StartedPeer = 'powertools-telemetry' | 'clients' | 'clients-logger';

/** Writes `index.mjs` into a folder, to be run in the place of the function's asset. */
export function bundlePeer(name: PeerName | StartedPeer, folder: string): Promise<Bundle> {
  return bundle(`bench/peers/${name}.ts`, join(folder, 'index.mjs'));
}
