/** Every contract, on one engine that speaks DynamoDB, through the adapters that Lambda uses. */
import { dynamoEngine, type Store } from '../../../tools/stores/engines.ts';
import { dedupRecordsContract } from './dedup-records.ts';
import { ledgerContract } from './ledger.ts';
import { quarantineContract } from './quarantine.ts';
import { releasesContract } from './releases.ts';
import { stateContract } from './state.ts';

export function everyContract(name: string, makeStore: () => Promise<Store>): void {
  const makeEngine = async () => dynamoEngine(await makeStore());
  ledgerContract(name, makeEngine);
  dedupRecordsContract(name, makeEngine);
  stateContract(name, makeEngine);
  quarantineContract(name, makeStore);
  releasesContract(name, makeEngine);
}
