/** Everything that is fuzzed. */
import { configs, locks, sources } from './configurations.ts';
import { bodies, envelopes, events, topics } from './deliveries.ts';
import { fingerprint, ids } from './ids.ts';
import { apiRequests, consoleRequests } from './servers.ts';
import type { Target } from './target.ts';
import { commandLines, decimals, policies, ruleSqls } from './texts.ts';
import { forwards, receipts, requests } from './wire.ts';

export const TARGETS: readonly Target[] = [
  bodies,
  topics,
  envelopes,
  events,
  ids,
  fingerprint,
  receipts,
  forwards,
  requests,
  configs,
  locks,
  sources,
  ruleSqls,
  policies,
  decimals,
  commandLines,
  consoleRequests,
  apiRequests,
];

const SHARES = TARGETS.reduce((sum, { share }) => sum + share, 0);

/** How many inputs a target gets of so many in all; at least one. */
export function inputsOf({ share }: Target, all: number): number {
  return Math.max(1, Math.round((share * all) / SHARES));
}
