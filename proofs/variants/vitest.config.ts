import { writeFileSync } from 'node:fs';
import { defineConfig, type Plugin, type TestProjectInlineConfiguration } from 'vitest/config';
import type { TestCase, TestModule } from 'vitest/node';
import { variants } from './catalogue.ts';
import { NAMES_VARIABLE, REPORT_VARIABLE, type TestOutcome, testFilesOf } from './tested.ts';
import { ROOT, sourcesOf, type Variant } from './variant.ts';

/** Each variant is a project: its tests are those of the suite, on sources with its fault. */
function projectOf(variant: Variant): TestProjectInlineConfiguration {
  const sources = sourcesOf(variant);
  const exchange: Plugin = {
    name: 'variant',
    enforce: 'pre',
    load: (id) => sources.get(id.replace(/\?.*$/s, '')),
  };
  return {
    root: ROOT,
    plugins: [exchange],
    test: {
      name: variant.name,
      include: [...testFilesOf(variant)],
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  };
}

function outcomeOf(module: TestModule, test: TestCase): TestOutcome {
  const { state, errors } = test.result();
  return {
    variant: module.project.name,
    file: module.relativeModuleId,
    // Suites and tests read on as one sentence.
    title: test.fullName.replaceAll(' > ', ' '),
    state,
    said: errors?.[0]?.message ?? '',
  };
}

const names = new Set(JSON.parse(process.env[NAMES_VARIABLE] ?? '[]') as readonly string[]);
const report = process.env[REPORT_VARIABLE];

/** Started by `tested.ts` alone, which reads what the reporter writes. */
export default defineConfig({
  root: ROOT,
  test: {
    globalSetup: ['tools/temporary.ts'],
    maxWorkers: 2,
    projects: variants.filter(({ name }) => names.has(name)).map(projectOf),
    reporters: [
      {
        onTestRunEnd(modules) {
          const outcomes = modules.flatMap((module) =>
            [...module.children.allTests()].map((test) => outcomeOf(module, test)),
          );
          if (report !== undefined) writeFileSync(report, JSON.stringify(outcomes));
        },
      },
    ],
  },
});
