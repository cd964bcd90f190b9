import {
  QUEUE_BATCH_MESSAGES,
  QUEUE_BATCH_MESSAGES_MAX,
  QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX,
  QUEUE_BATCH_WAIT_SECONDS_MAX,
} from '../base/limits.ts';
import { isWhole, type Problems, quote } from './problems.ts';
import type { BatchConfig, Feed } from './route.ts';

const PRESET = { messages: QUEUE_BATCH_MESSAGES, waitSeconds: 0 } as const;

/** How the queue hands deliveries to the function; a direct feed has batches on its fallback alone. */
export function checkBatch(
  problems: Problems,
  at: string,
  value: unknown,
  feed: Feed,
): Required<BatchConfig> {
  if (value === undefined) return PRESET;
  if (feed === 'direct') {
    problems.add(
      at,
      "a batch on feed: 'direct'",
      "a batch on feed: 'queue'",
      'take one of them out',
    );
    return PRESET;
  }
  const fields = problems.object(at, value, 'batch: { messages: 100, waitSeconds: 1 }');
  problems.onlyKeys(at, fields, Object.keys(PRESET));
  const messages = problems.wholeNumber(
    `${at}.messages`,
    fields.messages,
    QUEUE_BATCH_MESSAGES_MAX,
    PRESET.messages,
  );
  const waitSeconds = checkWait(problems, `${at}.waitSeconds`, fields.waitSeconds);
  if (messages > QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX && waitSeconds === 0) {
    problems.add(
      at,
      `${messages} messages without a wait`,
      `up to ${QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX} without a wait; more where they wait for a second at least`,
      `write batch: { messages: ${messages}, waitSeconds: 1 }`,
    );
  }
  return { messages, waitSeconds };
}

function checkWait(problems: Problems, at: string, value: unknown): number {
  if (value === undefined) return PRESET.waitSeconds;
  if (isWhole(value) && value >= 0 && value <= QUEUE_BATCH_WAIT_SECONDS_MAX) return value;
  problems.add(
    at,
    quote(value),
    `a whole number from 0 to ${QUEUE_BATCH_WAIT_SECONDS_MAX}`,
    'leave it out for 0, or write such a number',
  );
  return PRESET.waitSeconds;
}
