import { memoryEngine } from '../support/engines.ts';
import { deliveriesContract } from './deliveries.contract.ts';
import { ledgerContract } from './ledger.contract.ts';
import { releasesContract } from './releases.contract.ts';
import { stateContract } from './state.contract.ts';

const makeEngine = async () => memoryEngine();
ledgerContract('memory', makeEngine);
deliveriesContract('memory', makeEngine);
stateContract('memory', makeEngine);
releasesContract('memory', async () => memoryEngine());
