/** The part of dynalite 4 that is used here; the package has no types of its own. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of the LevelDB store; in memory without it. */
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  export default function dynalite(options?: DynaliteOptions): Server;
}

/** Not documented by dynalite: the parsers of its expressions, made by PEG.js. */
declare module 'dynalite/db/conditionParser.js' {
  const parser: { parse: import('./expression-memory.ts').ParseExpression };
  export default parser;
}
declare module 'dynalite/db/updateParser.js' {
  const parser: { parse: import('./expression-memory.ts').ParseExpression };
  export default parser;
}
