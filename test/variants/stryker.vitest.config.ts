import { defineConfig } from 'vitest/config';

/**
 * What `npm run mutate` runs for each mutant: quick tests of `core/` and of the two functions. Those
 * that synthesize the template, start the local cloud or look at documents would take minutes for
 * what these say in milliseconds.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/support/temporary.ts'],
    include: [
      'test/*.test.ts',
      'test/contract/memory.test.ts',
      'test/device/{answers,body,outbox,release,sender}.test.ts',
    ],
    exclude: ['test/{config-lock-file,protocol,readme,retention,runbook,tidy}.test.ts'],
    // A mutant that hangs is ended by Stryker, which measures the time of each test beforehand.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
