import { makeDynaliteStore } from '../support/dynalite-store.ts';
import { ledgerContract } from './ledger.contract.ts';

ledgerContract('dynalite', makeDynaliteStore);
