import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['{test,proofs}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One for each of the two cores that CI has; the default leaves one idle.
    maxWorkers: 2,
  },
});
