import { defineConfig } from 'vitest/config';

/**
 * Thousands of seeded schedules, every broken variant, and inputs by the hundred thousand: what
 * takes a minute where the tests of `npm test` take milliseconds.
 */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['proofs/**/*.proof.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
