/** Every variant finds the text that it changes and the test that has to object, before the long run. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { variants } from './catalogue.ts';
import { sourcesOf } from './variant.ts';

it.each(variants)('the variant $name finds its texts, and its tests have files', (variant) => {
  expect(sourcesOf(variant).size).toBeGreaterThan(0);
  for (const check of variant.checks) {
    if (check.by === 'test') expect(existsSync(check.file), check.file).toBe(true);
  }
});
