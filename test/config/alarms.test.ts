import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { lockOf } from '../../core/config/lock.ts';
import type { Problem } from '../../core/config/problem.ts';
import { RUNBOOK } from '../../core/operations/alarms.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

function problemsOf(alarms: unknown): readonly Problem[] {
  return problemsIn({ alarms, routes: { charges } });
}

const settingsOf = (alarms: unknown) => checkConfig({ alarms, routes: { charges } }).alarms;

describe('options of alarms', () => {
  it('can be left out, all or some', () => {
    expect(checkConfig({ routes: { charges } })).not.toHaveProperty('alarms');
    expect(settingsOf({})).toEqual({ email: null, runbook: RUNBOOK, silenceSeconds: {} });
  });

  it('are kept as they are said', () => {
    expect(
      settingsOf({
        email: 'ops+bridge@mail.example.com',
        runbook: 'https://wiki.example.com/runbook',
        silence: { charges: { days: 1, hours: 6 } },
      }),
    ).toEqual({
      email: 'ops+bridge@mail.example.com',
      runbook: 'https://wiki.example.com/runbook',
      silenceSeconds: { charges: 108_000 },
    });
  });

  it.each([{ minutes: 1 }, { minutes: 59 }, { hours: 1 }, { days: 7 }, { minutes: 120 }])(
    'take a silence of %o',
    (span) => {
      expect(problemsOf({ silence: { charges: span } })).toEqual([]);
    },
  );

  it.each([
    ['a mail that is none', { email: 'ops' }, 'alarms.email'],
    ['two mails in one', { email: 'a@example.com,b@example.com' }, 'alarms.email'],
    ['a mail with a line break', { email: 'a@example.com\nx' }, 'alarms.email'],
    ['a mail that is too long', { email: `${'a'.repeat(250)}@example.com` }, 'alarms.email'],
    ['a list of mails', { email: ['ops@example.com'] }, 'alarms.email'],
    ['a runbook without https', { runbook: 'http://wiki.example.com' }, 'alarms.runbook'],
    ['a runbook with a section', { runbook: 'https://wiki.example.com/#x' }, 'alarms.runbook'],
    ['a runbook that leaves no room', { runbook: `https://${'a'.repeat(401)}` }, 'alarms.runbook'],
    [
      'silence of a route that is not there',
      { silence: { doors: { hours: 1 } } },
      'alarms.silence.doors',
    ],
    ['silence in seconds', { silence: { charges: { seconds: 90 } } }, 'alarms.silence.charges'],
    [
      'silence that is no whole hour',
      { silence: { charges: { minutes: 90 } } },
      'alarms.silence.charges',
    ],
    [
      'silence of more than a week',
      { silence: { charges: { days: 8 } } },
      'alarms.silence.charges',
    ],
    ['silence of nothing', { silence: { charges: {} } }, 'alarms.silence.charges'],
    [
      'silence below nothing',
      { silence: { charges: { hours: -1 } } },
      'alarms.silence.charges.hours',
    ],
    ['silence that is a number', { silence: { charges: 6 } }, 'alarms.silence.charges'],
    ['alarms that are a text', 'ops@example.com', 'alarms'],
    ['an option that is not there', { sms: '+49' }, 'alarms.sms'],
  ])('refuse %s, with what is allowed and what to do', (_name, alarms, at) => {
    expect(problemsOf(alarms)).toEqual([
      { at, got: expect.any(String), allowed: expect.any(String), fix: expect.any(String) },
    ]);
  });

  it('are reported with all other problems at once', () => {
    const config = { alarms: { email: 1 }, routes: { charges: { ...charges, feed: 'post' } } };
    expect(() => checkConfig(config)).toThrow(/has 2 problems/);
  });

  it('are not pinned: whoever is told can change at any time', () => {
    const bridge = checkConfig({ alarms: { email: 'a@example.com' }, routes: { charges } });
    expect(lockOf(bridge)).toEqual(lockOf(checkConfig({ routes: { charges } })));
  });
});
