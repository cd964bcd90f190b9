import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { RECEIVED_AT_ATTRIBUTE } from '../../../core/message/envelope.ts';
import { seededChance } from '../../../local/chance.ts';
import { noFaults } from '../../../local/contracts.ts';
import { createQueue, type MessageAttributes, type Queue } from '../../../local/sqs/queue.ts';
import { redrive } from '../../../local/sqs/redrive.ts';
import { type ManualScheduler, manualScheduler } from '../../../local/timers.ts';

const START = epochMillis(1_795_217_651_000);
const HOUR = 3_600_000;

interface Bench {
  readonly scheduler: ManualScheduler;
  readonly dead: Queue;
  readonly queue: Queue;
}

function bench(): Bench {
  const scheduler = manualScheduler(START);
  const make = (name: string) =>
    createQueue({
      name,
      arn: `arn:${name}`,
      url: `https://sqs/${name}`,
      visibilityMillis: 30_000,
      retentionMillis: 1000 * HOUR,
      maximumBytes: 1_048_576,
      redrive: undefined,
      scheduler,
      chance: seededChance(1),
      faults: () => noFaults,
      observe: () => undefined,
      changed: () => undefined,
    });
  return { scheduler, dead: make('dead'), queue: make('queue') };
}

const attributesIn = (queue: Queue): readonly MessageAttributes[] =>
  queue.peek().map(({ messageAttributes }) => messageAttributes);

describe('redriving dead letters', () => {
  it('keeps the first sent time of an envelope without one of its own, though SQS does not', () => {
    const { scheduler, dead, queue } = bench();
    const body = '{"ruleName":"charges","base64OriginalPayload":"e30="}';
    dead.send(body, { RequestID: { dataType: 'String', stringValue: 'r' } });
    scheduler.advance(HOUR);
    expect(redrive(dead, [queue])).toBe(1);
    expect(dead.depth()).toEqual({ visible: 0, inFlight: 0 });
    expect(queue.peek()).toMatchObject([{ body, sentAt: START + HOUR, receiveCount: 0 }]);
    expect(attributesIn(queue)).toEqual([
      {
        RequestID: { dataType: 'String', stringValue: 'r' },
        'tollbridge-received-at': { dataType: 'Number', stringValue: String(START) },
      },
    ]);
  });

  it('keeps the first time over a second redrive', () => {
    const { scheduler, dead, queue } = bench();
    dead.send('not even JSON');
    redrive(dead, [queue]);
    scheduler.advance(HOUR);
    redrive(queue, [dead]);
    scheduler.advance(HOUR);
    redrive(dead, [queue]);
    const [attributes] = attributesIn(queue);
    expect(attributes?.[RECEIVED_AT_ATTRIBUTE]?.stringValue).toBe(String(START));
  });

  it('adds nothing to an envelope of the rule, which tells its time itself', () => {
    const { dead, queue } = bench();
    dead.send(`{"receivedAt":${START - HOUR}}`);
    redrive(dead, [queue]);
    expect(attributesIn(queue)).toEqual([{}]);
  });

  it('leaves alone what somebody is just handling', () => {
    const { dead, queue } = bench();
    dead.send('a');
    dead.send('b');
    dead.receive(1);
    expect(redrive(dead, [queue])).toBe(1);
    expect(dead.depth()).toEqual({ visible: 0, inFlight: 1 });
  });

  it('moves nothing when it is not known where the messages belong', () => {
    const { dead, queue } = bench();
    dead.send('a');
    expect(() => redrive(dead, [queue, queue])).toThrow(/of 2 queues \(queue, queue\)/);
    expect(() => redrive(dead, [])).toThrow(/of 0 queues \(none\)/);
    expect(dead.depth().visible).toBe(1);
  });
});
