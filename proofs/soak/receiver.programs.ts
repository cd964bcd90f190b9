/**
 * Goal: an effect is told although the receiver was ended between the effect and the word of it. The
 * broker delivers the forward again then, and the receiver knows its id: nothing more is told of it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { expect, it, onTestFinished } from 'vitest';
import { bundleProgram } from '../../tools/clouds/bundle.ts';
import { freePort } from '../../tools/programs.ts';
import { ForwardReceiver } from './processes/receiver.ts';
import { Deadline } from './waiting.ts';

it('a receiver tells of the effects that an earlier life has left on its disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-soak-receiver-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const received = join(folder, 'receiver');
  mkdirSync(received);
  const effects = new ClassicLevel<string, string>(join(received, 'effects'));
  await effects.put('charges#m-1#7', '1', { sync: true });
  await effects.close();
  const program = await bundleProgram(
    'proofs/soak/processes/receiver-child.ts',
    folder,
    'receiver',
  );
  const deadline = new Deadline(30_000);
  const nobody = `mqtt://127.0.0.1:${await freePort()}`;
  const receiver = new ForwardReceiver(program, nobody, received, deadline);
  onTestFinished(() => receiver.end());
  await deadline.until('the effect is told', () => receiver.effects.size > 0);
  expect([...receiver.effects]).toEqual(['charges#m-1#7']);
});
