/** What the fuzzer has found, each as an example of its own. */
import { expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { ConfigError } from '../../core/config/problem.ts';
import { candidatesOf } from '../../core/operations/id-candidates.ts';
import { readPeriod } from '../../core/operations/period.ts';
import { envelopeOf, Ingest, queueEvent } from '../../tools/handlers/ingest.ts';

it.each([
  ['without a body', { messageId: 'm-1', eventSource: 'aws:sqs' }],
  ['without an id', { eventSource: 'aws:sqs', body: '{}' }],
  ['that is null', null],
])(
  'an event with a record %s is kept as it came, and the function does not fail',
  async (_, record) => {
    const ingest = new Ingest();
    const event = { Records: [...queueEvent(envelopeOf('d-1')).Records, record] };
    expect(await ingest.handle(event)).toBeUndefined();
    const rows = ingest.quarantine.list();
    expect(rows.map(({ reason, body }) => [reason, body])).toEqual([
      ['unreadable-envelope', JSON.stringify(event)],
    ]);
  },
);

it('digits that JSON does not take for a number can still be a text id', () => {
  expect(candidatesOf('007').map(({ reading }) => reading)).not.toContain('integer');
  expect(candidatesOf('007').map(({ key }) => key)).toContain('007');
  expect(candidatesOf('-0').map(({ key }) => key)).toContain('int:-0');
  expect(candidatesOf('70').map(({ key }) => key)).toContain('int:70');
});

it('a period that reaches the year 10000, where times no longer compare as texts, is refused', () => {
  expect(readPeriod('9999')).toEqual({ ok: false, detail: 'it reaches the end of the year 9999' });
  expect(readPeriod('9999-12-31').ok).toBe(false);
  expect(readPeriod('9999-11').ok).toBe(true);
});

it('a problem with a key says that no key is allowed where there is none', () => {
  try {
    checkConfig({ routes: {}, alarms: { silence: { charges: { hours: 6 } } } });
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const silence = error.problems.find(({ at }) => at === 'alarms.silence.charges');
    expect(silence?.allowed).toBe('no key at all');
  }
});
