/** `npm run killed -- --devices 100 --messages 1000`: the run of the test, as long as one likes. */
import { parseArgs } from 'node:util';
import { isClean, runKilled } from './run.ts';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '20' },
    messages: { type: 'string', default: '100' },
    'device-kills': { type: 'string', default: '3' },
    'cloud-kills': { type: 'string', default: '3' },
    seed: { type: 'string', default: '7' },
  },
});
const findings = await runKilled({
  devices: Number(values.devices),
  messages: Number(values.messages),
  deviceKills: Number(values['device-kills']),
  cloudKills: Number(values['cloud-kills']),
  seed: Number(values.seed),
  tell: (text) => process.stderr.write(`${text}\n`),
});
process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
process.exitCode = isClean(findings) ? 0 : 1;
