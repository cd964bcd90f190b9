/** Everybody who is charged: the bridge, and the peers that a user would pick instead. */
import { fileURLToPath } from 'node:url';
import { endProgram, nextFrom, startProgram } from '../harness/program.ts';
import { type PeerName, peerTitles } from '../peers/bundles.ts';
import { bridgeOn } from './bridge.ts';
import { queueEvent } from './deliveries.ts';
import type { Booker } from './measure.ts';
import { clientOf, SHAPES } from './tables.ts';

export const BRIDGE = 'Tollbridge';

/** The peers that book in DynamoDB. */
export type CountedPeer = Extract<PeerName, 'powertools' | 'transaction' | 'get-put'>;

const PEERS: readonly CountedPeer[] = ['powertools', 'transaction', 'get-put'];

/** The bridge comes first. */
export function bookers(): readonly Booker[] {
  return [bridgeBooker, ...PEERS.map(peerBooker)];
}

export const bridgeBooker: Booker = {
  name: BRIDGE,
  tables: { 'bridge-ledger': SHAPES.ledger, 'bridge-quarantine': SHAPES.quarantine },
  async open(url) {
    const client = clientOf(url);
    const handle = bridgeOn({
      client,
      ledger: 'bridge-ledger',
      quarantine: 'bridge-quarantine',
      publisher: { publish: async () => {} },
    });
    return {
      handle: (delivery) => handle(queueEvent([delivery])),
      close: async () => client.destroy(),
    };
  },
};

const PROGRAM = fileURLToPath(new URL('peer-program.ts', import.meta.url));

/** Its entries stand in a table like the ledger, index and all; markers in one of their own. */
function peerBooker(peer: CountedPeer): Booker {
  const names = { entries: `${peer}-entries`, markers: `${peer}-markers` };
  return {
    name: peerTitles[peer],
    tables: {
      [names.entries]: SHAPES.ledger,
      [names.markers]: { keys: ['pk'], indexes: [] },
    },
    async open(url) {
      const child = startProgram(PROGRAM, peer, {
        flags: ['--import', 'tsx'],
        environment: {
          MESSAGES_TABLE: names.entries,
          MARKERS_TABLE: names.markers,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'bench',
          AWS_SECRET_ACCESS_KEY: 'bench',
          AWS_LAMBDA_FUNCTION_NAME: 'charges-ingest',
          AWS_ENDPOINT_URL_DYNAMODB: url,
          AWS_ENDPOINT_URL_IOT_DATA_PLANE: url,
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
      });
      await nextFrom(child);
      return {
        async handle(delivery) {
          const answer = nextFrom<{ readonly failed: number; readonly error?: string }>(child);
          child.send(queueEvent([delivery]));
          const { failed, error = 'without a word' } = await answer;
          if (failed > 0) throw new Error(`${peer} failed while it was counted: ${error}`);
        },
        close: () => endProgram(child),
      };
    },
  };
}
