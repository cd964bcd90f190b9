import { makeDynaliteStore } from '../support/dynalite-store.ts';
import { everyContract } from './all.contract.ts';

everyContract('dynalite', makeDynaliteStore);
