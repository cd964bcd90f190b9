import { defineConfig } from 'vitest/config';

/** Tests that wait for whole clouds, for example until Lambda gives up on a message. */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['{test,proofs}/**/*.cloud.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
