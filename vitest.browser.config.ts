import { defineConfig } from 'vitest/config';

/** The console in a real browser; where none is installed it is skipped with its reason. */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['test/console/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
