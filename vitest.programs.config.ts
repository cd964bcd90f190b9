import { defineConfig } from 'vitest/config';

/**
 * Tests that start programs as a user would, and kill some of them: processes take seconds where
 * the tests of `npm test` take milliseconds.
 */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['{test,proofs}/**/*.programs.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // They measure their own time-outs, and share two cores with the programs they start.
    fileParallelism: false,
  },
});
