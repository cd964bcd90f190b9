/** Checks who hears of alarms, and which silences are worth one. */

import { SILENCE_SECONDS_MAX } from '../base/limits.ts';
import { RUNBOOK } from '../operations/alarms.ts';
import { checkSpan } from './check-values.ts';
import { type Problems, quote } from './problems.ts';
import type { AlarmSettings } from './route.ts';

/** The settings where the configuration has any; `routes` are the names that it has. */
export function checkAlarms(
  problems: Problems,
  alarms: unknown,
  routes: readonly string[],
): AlarmSettings | undefined {
  if (alarms === undefined) return undefined;
  const fields = problems.object('alarms', alarms, "alarms: { email: 'ops@example.com' }");
  problems.onlyKeys('alarms', fields, ['email', 'runbook', 'silence']);
  return {
    email: checkEmail(problems, fields.email),
    runbook: checkRunbook(problems, fields.runbook),
    silenceSeconds: checkSilence(problems, fields.silence, routes),
  };
}

/** AWS takes what looks like an address and asks it to confirm; a slip is better found here. */
const EMAIL = /^[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+$/;
const EMAIL_CHARS_MAX = 254;

function checkEmail(problems: Problems, email: unknown): string | null {
  if (email === undefined) return null;
  if (typeof email === 'string' && email.length <= EMAIL_CHARS_MAX && EMAIL.test(email)) {
    return email;
  }
  problems.add(
    'alarms.email',
    quote(email),
    'one e-mail address',
    "leave it out, or write e.g. email: 'ops@example.com'; more are subscribed to the topic itself",
  );
  return null;
}

/** An alarm's description has room for 1,024 characters, its sentence and section among them. */
const RUNBOOK_URL = /^https:\/\/[^\s#]{1,400}$/;

function checkRunbook(problems: Problems, runbook: unknown): string {
  if (runbook === undefined) return RUNBOOK;
  if (typeof runbook === 'string' && RUNBOOK_URL.test(runbook)) return runbook;
  problems.add(
    'alarms.runbook',
    quote(runbook),
    'an https address of up to 400 characters without #',
    `leave it out for ${quote(RUNBOOK)}, or write e.g. runbook: 'https://wiki.example.com/runbook'`,
  );
  return RUNBOOK;
}

function checkSilence(
  problems: Problems,
  silence: unknown,
  routes: readonly string[],
): Readonly<Record<string, number>> {
  if (silence === undefined) return {};
  const at = 'alarms.silence';
  const fields = problems.object(at, silence, 'silence: { charges: { hours: 6 } }');
  problems.onlyKeys(at, fields, routes);
  const known = Object.keys(fields).filter((name) => routes.includes(name));
  const entries = known.flatMap((name) => {
    const seconds = checkPeriods(problems, `${at}.${name}`, name, fields[name]);
    return seconds === undefined ? [] : [[name, seconds] as const];
  });
  return Object.fromEntries(entries);
}

/** An alarm looks at whole minutes for up to a day, or at whole hours for up to a week. */
function checkPeriods(
  problems: Problems,
  at: string,
  name: string,
  span: unknown,
): number | undefined {
  const examples = [`${name}: { hours: 6 }`, '{ minutes: 30 }'] as const;
  const seconds = checkSpan(problems, at, span, examples, SILENCE_SECONDS_MAX);
  if (seconds === undefined) return undefined;
  if (seconds % 3_600 === 0 || (seconds < 3_600 && seconds % 60 === 0)) return seconds;
  problems.add(
    at,
    `${seconds} seconds`,
    'whole hours up to a week, or whole minutes below an hour',
    `write e.g. ${examples.join(' or ')}`,
  );
  return undefined;
}
