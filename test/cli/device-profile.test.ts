/** Goal: `device-profile` prints the routes of the configuration, and refuses what no device can be. */
import { describe, expect, it } from 'vitest';
import { deviceProfileCommand } from '../../cli/commands/device-profile.ts';
import { runHere } from '../../tools/clouds/asking-ground.ts';

describe('tollbridge device-profile', () => {
  const command = (...args: readonly string[]) => runHere(deviceProfileCommand(), args);

  it('prints the routes of the configuration as JSON', async () => {
    const { status, stdout } = await command('meter-17', '--json', '--handshake', 'full');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      charges: { topic: 'billing/meter-17/charges', idField: 'id', handshake: 'full' },
    });
  });

  it.each([['a/b'], ['+'], [''], ['m 1']])('refuses the name "%s"', async (name) => {
    const { status, stdout, stderr } = await command(name);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/device's name is .*allowed are 1 to 128/);
  });

  it('refuses a topic that is no pair', async () => {
    const { status, stderr } = await command('m', '--topic', 'x');
    expect(status).toBe(2);
    expect(stderr).toContain('allowed is ROUTE=TOPIC');
  });
});
