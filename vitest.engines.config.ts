import { defineConfig } from 'vitest/config';

/** The contract suites on DynamoDB Local, and on AWS where a table prefix is given. */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['proofs/contract/**/*.engines.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
