/**
 * Goal: every example of docs/routes.md works as it stands. Method: each block is evaluated with
 * the sources in scope and checked like a configuration; the ones that go together are checked
 * together.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import * as sources from '../../core/config/sources.ts';

const text = readFileSync('docs/routes.md', 'utf8');
const examples = [...text.matchAll(/```ts route\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');

function evaluate(code: string): Record<string, unknown> {
  const names = Object.keys(sources);
  const make = new Function(...names, `return ({ ${code} });`);
  return make(...Object.values(sources)) as Record<string, unknown>;
}

describe('docs/routes.md', () => {
  it.each(examples.map((code) => [code.slice(0, code.indexOf(':')), code]))(
    'shows a route %s that is accepted',
    (name, code) => {
      const bridge = checkConfig({ routes: evaluate(code) });
      expect(bridge.routes.map((route) => route.name)).toEqual([name]);
    },
  );

  it('shows routes that fit into one bridge', () => {
    const routes = Object.assign({}, ...examples.map(evaluate));
    expect(checkConfig({ routes }).routes).toHaveLength(examples.length);
  });

  it.each([
    'guarantee',
    'topic',
    'device',
    'id',
    'entry',
    'maxAge',
    'indexShards',
    'window',
    'time',
    'mode',
    'onStoreDown',
    'sameBody',
    'forward',
    'receipts',
    'feed',
    'batch',
    'trustTopicLevel',
    'version',
  ])('explains the option %s', (option) => {
    expect(text).toContain(`\`${option}`);
    expect(examples.some((code) => code.includes(`${option}:`))).toBe(true);
  });
});
