/** Every contract, on one engine that speaks DynamoDB, through the adapters that Lambda uses. */
import { dynamoEngine, type Store } from '../support/engines.ts';
import { deliveriesContract } from './deliveries.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import { quarantineContract } from './quarantine.contract.ts';
import { releasesContract } from './releases.contract.ts';
import { stateContract } from './state.contract.ts';

export function everyContract(name: string, makeStore: () => Promise<Store>): void {
  const makeEngine = async () => dynamoEngine(await makeStore());
  ledgerContract(name, makeEngine);
  deliveriesContract(name, makeEngine);
  stateContract(name, makeEngine);
  quarantineContract(name, makeStore);
  releasesContract(name, makeEngine);
}
