import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that try thousands of inputs or wait: a mutant is killed sooner by what comes before them. */
const SLOW = /\/(any-delivery|canonical|handler-deadline|requests|deduplicated)\.test\.ts$/;

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification) => Number(SLOW.test(moduleId));
    return files.toSorted((one, other) => isSlow(one) - isSlow(other));
  }
}

/**
 * What `npm run mutate` runs for each mutant: quick tests of `core/` and of the two functions. Those
 * that synthesize the template, start the local cloud or look at documents would take minutes for
 * what these say in milliseconds.
 */
export default defineConfig({
  test: {
    globalSetup: ['tools/temporary.ts'],
    include: [
      'test/{core,config,lambda}/**/*.test.ts',
      'proofs/contract/memory.test.ts',
      'test/device/{publish,outbox}/{answers,body,outbox,release,sender}.test.ts',
    ],
    exclude: ['test/config/lock-file.test.ts'],
    // The modules are loaded once for each mutant, not once more for every file of tests.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    // A mutant that hangs is ended by Stryker, which measures the time of each test beforehand.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
