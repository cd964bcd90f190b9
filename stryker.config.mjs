/**
 * Mutation testing (`npm run mutate`): each mutant is one small fault in a source, and the quick
 * tests have to notice it. The reports are in `coverage/mutation`.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'proofs/variants/stryker.vitest.config.ts', related: false },
  mutate: [
    'core/**/*.ts',
    'lambda/ingest/**/*.ts',
    'lambda/handshake/**/*.ts',
    'lambda/runtime/deadline.ts',
    'lambda/runtime/receipts.ts',
    // Words and figures of the template, which the tests of `test/infra` read: they synthesize it.
    '!core/operations/alarm-kinds.ts',
    '!core/operations/alarms.ts',
    '!core/operations/device-profile.ts',
    // These bind the functions to AWS; the local cloud's tests run the bundles.
    '!lambda/handshake/index.ts',
    '!lambda/ingest/{bind,exactly-once,deduplicated,latest}.ts',
  ],
  coverageAnalysis: 'perTest',
  // A constant of a module is read when it is loaded: each of its mutants would need every test.
  ignoreStatic: true,
  concurrency: 2,
  incremental: true,
  incrementalFile: 'coverage/mutation/incremental.json',
  tempDirName: 'coverage/mutation/sandbox',
  cleanTempDir: 'always',
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { logTests: false, reportTests: false, skipFull: true, allowColor: false },
  htmlReporter: { fileName: 'coverage/mutation/report.html' },
  jsonReporter: { fileName: 'coverage/mutation/report.json' },
  // The tests run the sources as they are; nothing here is compiled.
  checkers: [],
  tsconfigFile: 'none',
  ignorePatterns: [
    '/*',
    '!/core',
    '!/lambda',
    '!/device',
    '!/local',
    '!/bin',
    '!/cli',
    '!/lib',
    '!/test',
    '!/proofs',
    '!/tools',
    '!/package.json',
    '!/tollbridge.config.ts',
    'proofs/interop/aws-device-sdk',
  ],
  allowConsoleColors: false,
};
