/** Goal: what several test files need is made by one of them, whole, and by the next when that one fails. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { keptFolder } from '../../tools/clouds/kept-folder.ts';

const PID_MAX = 2 ** 22;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function kept(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = await keptFolder(name, make);
  if (!folders.includes(folder)) folders.push(folder);
  return readFileSync(join(folder, 'made'), 'utf8');
}

const makes = (text: string) => async (folder: string) => {
  await setImmediate();
  writeFileSync(join(folder, 'made'), text);
};

describe('a kept folder', () => {
  it('is made once, however many ask for it at once', async () => {
    const name = randomUUID();
    const texts = await Promise.all(['a', 'b', 'c'].map((text) => kept(name, makes(text))));
    expect(texts).toEqual(['a', 'a', 'a']);
    expect(await kept(name, makes('d'))).toBe('a');
  });

  it('is another one under another name', async () => {
    expect(await kept(randomUUID(), makes('a'))).toBe('a');
    expect(await kept(randomUUID(), makes('b'))).toBe('b');
  });

  it('is made by the next who asks when making it failed', async () => {
    const name = randomUUID();
    const fails = async (folder: string) => {
      await makes('half')(folder);
      throw new Error('it broke');
    };
    await expect(kept(name, fails)).rejects.toThrow('it broke');
    expect(await kept(name, makes('whole'))).toBe('whole');
  });

  it('is made by the next who asks when the process that made it is gone', async () => {
    const name = randomUUID();
    await kept(name, makes('a'));
    const [folder = ''] = folders;
    rmSync(folder, { recursive: true });
    symlinkSync(String(PID_MAX + 1), `${folder}.lock`);
    expect(await kept(name, makes('b'))).toBe('b');
  });
});
