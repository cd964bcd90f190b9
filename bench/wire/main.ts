/**
 * `npm run bench:wire`: packets and bytes of a message, counted on the wire. With `--write` the
 * tables of docs/wire.md are replaced, with `--runs N` the gathered cases are run N times.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { endWithReader, print, printError } from '../../cli/output/print.ts';
import { type TableName, withTable } from './document.ts';
import { type Measured, measure } from './measure.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/wire.md', import.meta.url));
const MESSAGES = 20;

const titles: Readonly<Record<TableName, string>> = {
  single: 'One message at a time',
  gathered: 'Several at once: least / median / most of the runs',
  native: 'MQTT alone, on Mosquitto',
  connection: 'A connection, once',
};

endWithReader();
const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, runs: { type: 'string', default: '5' } },
});
const runs = Number(values.runs);
if (!Number.isSafeInteger(runs) || runs < 1 || runs % 2 === 0) {
  printError(`--runs is ${values.runs}; a median needs an odd number of runs, e.g. 5`);
  process.exit(2);
}
const measured = await measure({ messages: MESSAGES, runs, tell: printError });
show(measured);
if (values.write) write(measured);

function show({ tables, mosquitto }: Measured): void {
  for (const name of Object.keys(titles) as TableName[]) {
    const { head, rows } = tables[name];
    if (rows.length === 0) continue;
    const table = new Table({ head: [...head], style: { head: [], border: [] } });
    table.push(...rows.map((row) => [...row]));
    print(`\n${titles[name]}${name === 'native' ? ` ${mosquitto}` : ''}\n${table}`);
  }
}

function write({ tables, mosquitto }: Measured): void {
  if (mosquitto === undefined) {
    printError('docs/wire.md is left as it is: without Mosquitto it would lose half of its rows');
    process.exitCode = 1;
    return;
  }
  let text = readFileSync(DOCUMENT, 'utf8');
  for (const name of Object.keys(titles) as TableName[]) text = withTable(text, name, tables[name]);
  writeFileSync(DOCUMENT, text);
  printError('docs/wire.md is written');
}
