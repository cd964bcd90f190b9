import { defineConfig } from 'vitest/config';

/** What starts the local cloud, brokers, stores or processes. */
const CLOUD = ['test/{cli,console,device,e2e,local}/**/*.test.ts', 'proofs/**/*.test.ts'];
/** What synthesizes templates. */
const INFRA = ['test/infra/**/*.test.ts'];

/**
 * `npm test`: a good minute on two cores. Files share a process with their neighbours, for loading
 * the CDK and the SDK anew takes longer than what most of them do; `tools/shared-process.ts` sees
 * that none leaves anything behind in it. What takes longer has a command of its own.
 */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    setupFiles: ['tools/shared-process.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    isolate: false,
    // Collects the garbage of short tests less often: a twentieth of their time.
    execArgv: ['--max-semi-space-size=64'],
    // CI has two cores, and a worker of the three waits for a cloud more often than not.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'cloud', include: CLOUD } },
      { extends: true, test: { name: 'infra', include: INFRA } },
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...CLOUD, ...INFRA] },
      },
    ],
  },
});
