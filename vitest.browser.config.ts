import { defineConfig } from 'vitest/config';

/** The console in a real browser; where none is installed it is skipped with its reason. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/temporary.ts'],
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
