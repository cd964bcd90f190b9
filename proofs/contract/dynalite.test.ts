import { makeDynaliteStore } from '../../tools/stores/dynalite-store.ts';
import { everyContract } from './suites/all.ts';

everyContract('dynalite', makeDynaliteStore);
