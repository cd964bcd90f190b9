import { describe, expect, it } from 'vitest';
import { assertAccepted, LockError } from '../../core/config/lock.ts';
import { formatLock, LockFileError, parseLock } from '../../core/config/lock-text.ts';
import { payload, topicLevel } from '../../core/config/sources.ts';
import { type Changes, changesOf, charges, lock } from './lock-fixture.ts';

describe('acceptance', () => {
  const changes = changesOf({
    charges: { ...charges, id: payload('uuid'), device: topicLevel(3) },
  });

  function refusalOf(accepted: readonly string[], of = changes): LockError {
    try {
      assertAccepted(of, accepted);
    } catch (error) {
      if (error instanceof LockError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('is by name, of every change', () => {
    expect(() => assertAccepted(changes, ['charges.id', 'charges.device'])).not.toThrow();
    expect(() => assertAccepted([], [])).not.toThrow();
  });

  it('is asked for with every change in one message, and the command that accepts them', () => {
    const { message, changes: refused } = refusalOf([]);
    expect(refused).toEqual(changes);
    for (const { name, pinned, now, effect } of changes) {
      for (const part of [name, pinned, now, effect]) expect(message).toContain(part);
    }
    expect(message).toContain('npx cdk synth -c accept=charges.device,charges.id');
    expect(message).toContain('TOLLBRIDGE_ACCEPT=charges.device,charges.id npm start');
  });

  it('of one change leaves the other refused, and nothing is half accepted', () => {
    const error = refusalOf(['charges.id']);
    expect(error.changes.map(({ name }) => name)).toEqual(['charges.device']);
    expect(error.message).toContain('accept=charges.device,charges.id');
  });

  it('of a name that accepts nothing is refused as a slip of the pen', () => {
    const error = refusalOf(['charges.id', 'charges.device', 'charges.ids']);
    expect(error).toMatchObject({ changes: [], unknownNames: ['charges.ids'] });
    expect(error.message).toContain("'charges.ids', which accepts nothing");
    expect(error.message).toContain('what has changed is charges.device, charges.id');
    expect(refusalOf(['charges'], []).message).toContain('may be in the lock file already');
  });

  it('is not possible for a whole route at once while the route is there', () => {
    expect(refusalOf(['charges']).unknownNames).toEqual(['charges']);
  });
});

describe('a lock file is refused', () => {
  const pins = { ...lock.routes.charges };
  const having = (changes: Changes) => JSON.stringify({ ...lock, ...changes });
  const pinning = (changes: Changes) => having({ routes: { charges: { ...pins, ...changes } } });

  it.each([
    ['is empty', '', 'not JSON'],
    ['holds a merge', `<<<<<<< HEAD\n${formatLock(lock)}`, 'not JSON'],
    ['is cut off', formatLock(lock).slice(0, -3), 'not JSON'],
    ['is no object', '[]', 'not a JSON object'],
    [
      'has a key twice',
      '{"lockVersion":1,"bridge":"a","bridge":"b","routes":{}}',
      "Duplicate key 'bridge'",
    ],
    ['has no version', having({ lockVersion: undefined }), 'lockVersion is missing'],
    ['comes from a later version', having({ lockVersion: 2 }), 'lockVersion is 2'],
    ['has no bridge', having({ bridge: undefined }), 'bridge is not'],
    ['has no routes', having({ routes: undefined }), 'routes is not'],
    ['has more than it should', having({ comment: 'x' }), 'comment is unknown'],
    ['has a route with an odd name', having({ routes: { 'a-b': pins } }), 'routes.a-b is not'],
    ['has a route that is a text', having({ routes: { charges: 'x' } }), 'routes.charges is not'],
    ['has no such guarantee', pinning({ guarantee: 'best' }), 'guarantee is none'],
    ['lacks a pin', pinning({ id: undefined }), 'routes.charges.id is missing'],
    ['has a pin of another guarantee', pinning({ version: 'x' }), 'version is unknown'],
    ['has a pin that is no text', pinning({ device: 2 }), 'device is not a text'],
    ['has half a shard', pinning({ indexShards: 1.5 }), 'indexShards is not a whole number'],
  ])('that %s', (_, text, fault) => {
    expect(() => parseLock(text)).toThrow(LockFileError);
    expect(() => parseLock(text)).toThrow(fault);
    expect(() => parseLock(text)).toThrow('git checkout tollbridge.lock.json');
  });
});
