import { makeDynaliteStore } from '../support/dynalite-store.ts';
import { dynamoEngine } from '../support/engines.ts';
import { deliveriesContract } from './deliveries.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import { quarantineContract } from './quarantine.contract.ts';
import { releasesContract } from './releases.contract.ts';
import { stateContract } from './state.contract.ts';

const makeEngine = async () => dynamoEngine(await makeDynaliteStore());
ledgerContract('dynalite', makeEngine);
deliveriesContract('dynalite', makeEngine);
stateContract('dynalite', makeEngine);
quarantineContract('dynalite', makeDynaliteStore);
releasesContract('dynalite', makeEngine);
