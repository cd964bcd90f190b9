import { memoryEngine } from '../../tools/stores/engines.ts';
import { dedupRecordsContract } from './suites/dedup-records.ts';
import { ledgerContract } from './suites/ledger.ts';
import { releasesContract } from './suites/releases.ts';
import { stateContract } from './suites/state.ts';

const makeEngine = async () => memoryEngine();
ledgerContract('memory', makeEngine);
dedupRecordsContract('memory', makeEngine);
stateContract('memory', makeEngine);
releasesContract('memory', async () => memoryEngine());
