import { defineConfig } from 'vitest/config';

/** Tests against programs that others have made; what is not installed is skipped with its reason. */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: ['proofs/interop/**/*.interop.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // They start whole programs: side by side, one would wait for the other's processor.
    fileParallelism: false,
  },
});
