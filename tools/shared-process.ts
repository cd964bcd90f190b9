/** Test files share a process: one that leaves something behind in it fails, and not its neighbour. */
import { afterAll, expect, vi } from 'vitest';

/** Powertools sets it when it is loaded, which a process does once. */
const BY_A_PACKAGE = new Set(['AWS_SDK_UA_APP_ID']);

const environment = { ...process.env };
const folder = process.cwd();

/** Names alone: a failure must not print what an environment holds. */
function changedVariables(): readonly string[] {
  return Object.keys({ ...environment, ...process.env }).filter(
    (name) => environment[name] !== process.env[name] && !BY_A_PACKAGE.has(name),
  );
}

afterAll(() => {
  const left = {
    variables: changedVariables(),
    folder: process.cwd(),
    status: process.exitCode,
    fakeTimers: vi.isFakeTimers(),
  };
  expect(left).toEqual({ variables: [], folder, status: undefined, fakeTimers: false });
});
