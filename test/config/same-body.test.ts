import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Problem } from '../../core/config/problem.ts';
import { contentHash, ignoring, payload } from '../../core/config/sources.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

function problemsOf(changes: Readonly<Record<string, unknown>>): readonly Problem[] {
  return problemsIn({ routes: { charges: { ...charges, ...changes } } });
}

describe('sameBody', () => {
  it('is kept as the paths that do not count', () => {
    const sameBody = ignoring('sentAt', 'try.count');
    const [route] = checkConfig({ routes: { charges: { ...charges, sameBody } } }).routes;
    expect(route?.ignoring).toEqual(['sentAt', 'try.count']);
  });

  it.each([
    ['id', 'id'],
    ['account', 'entry.account'],
    ['kWh', 'entry.amount'],
    ['at', 'entry.occurredAt'],
    ['meter', 'id'],
  ])('cannot ignore %s, which %s reads', (path, by) => {
    const id = path === 'meter' ? payload('meter.id') : charges.id;
    const sameBody = ignoring('sentAt', path);
    expect(problemsOf({ id, sameBody })).toMatchObject([
      { at: 'routes.charges.sameBody', got: expect.stringContaining(`which ${by} reads`) },
    ]);
  });

  it('can ignore a field whose name only begins like one that is read', () => {
    expect(problemsOf({ sameBody: ignoring('i', 'idx', 'ids.x') })).toEqual([]);
  });

  it('is refused beside a content hash, which says itself what counts', () => {
    const changes = { id: contentHash('at', 'kWh'), sameBody: ignoring('sentAt', 'at') };
    expect(problemsOf(changes).map(({ at }) => at)).toEqual(['routes.charges.sameBody']);
  });
});
