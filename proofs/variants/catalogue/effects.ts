/** Faults in what follows the write: forward, receipt, and what is reported as done. */
import { SIMULATED, type Variant } from '../variant.ts';

const SETTLE = 'lambda/ingest/process-message.ts';
const BATCH = 'lambda/ingest/batch.ts';

export const effects: readonly Variant[] = [
  {
    name: 'mark-before-effect',
    after: 'ours',
    fault:
      'a try that finds its own row takes itself for a copy, and its forward is never made up for',
    breaks: ['I4'],
    edits: [
      {
        file: 'core/guarantees/verdict.ts',
        from: "own.includes(firstDeliveryId) ? 'resumed' : 'duplicate'",
        to: "own.length === 0 ? 'resumed' : 'duplicate'",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'delivery-named-in-function',
    after: 'ours',
    fault: 'the deliveryId is made in the function',
    breaks: ['I4'],
    edits: [
      {
        file: 'lambda/ingest/handler.ts',
        from: `  return reading.ok
    ? { ref, delivery: reading.delivery }`,
        to: `
  handled++;
  return reading.ok
    ? { ref, delivery: { ...reading.delivery, deliveryId: \`made-\${handled}\` } }`,
      },
      {
        file: 'lambda/ingest/handler.ts',
        from: 'function recordOf(',
        to: 'let handled = 0;\nfunction recordOf(',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'fold-forgets-its-ids',
    after: 'ours',
    fault: 'of copies that are folded, the id of the first alone is kept',
    breaks: ['I4'],
    edits: [
      {
        file: 'core/message/coalesce.ts',
        from: '      deliveryIds: copies.map(({ delivery }) => delivery.deliveryId),',
        to: '      deliveryIds: copies.map(() => first.delivery.deliveryId),',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/lambda/handler.test.ts',
        title:
          'copies in one batch still pay the forward that one of them owes, wherever it stands in the batch (I4)',
      },
    ],
  },
  {
    name: 'every-delivery-forwards',
    after: 'ours',
    fault: 'a duplicate is forwarded like the delivery that booked the row',
    breaks: ['I4', 'I7'],
    edits: [
      {
        file: SETTLE,
        from: '      await forwardCopy(deps, fold, verdict);\n      break;',
        to: '      await forwardCopy(deps, fold, verdict);\n      await forwardMessage(deps, fold, { owner: verdict.firstDeliveryId });\n      break;',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'receipt-before-write',
    after: 'ours',
    fault: 'the receipt goes out before the write',
    breaks: ['I3', 'I2'],
    edits: [
      {
        file: SETTLE,
        from: '  let decision: Decision;\n  try {',
        to: `
  const { message } = reading;
  const early = bookedReceipt(message, { kind: 'accepted', bookedAt: deps.clock() });
  for (const payload of receiptPayloads(deps.route.name, [early])) {
    await publishReceipts(deps, message.device, payload, 0);
  }
  let decision: Decision;
  try {`,
      },
      {
        file: SETTLE,
        from: "import { bookedReceipt, type Receipt, rejectedReceipt } from '../../core/wire/receipts.ts';",
        to: `
import { bookedReceipt, type Receipt, receiptPayloads, rejectedReceipt } from '../../core/wire/receipts.ts';
import { publishReceipts } from '../runtime/receipts.ts';`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'receipt-without-row',
    after: 'ours',
    fault: 'a delivery that was forwarded unverified is told `accepted`',
    breaks: ['I3', 'I2'],
    edits: [
      {
        file: SETTLE,
        from: "  await forwardMessage(deps, fold, { owner: fold.delivery.deliveryId, mark: 'unverified' });\n  return undefined;",
        to: `
  await forwardMessage(deps, fold, { owner: fold.delivery.deliveryId, mark: 'unverified' });
  const { message } = fold.reading;
  const receipt = bookedReceipt(message, { kind: 'accepted', bookedAt: deps.clock() });
  return { answerTo: message.device, receipt } as never;`,
      },
    ],
    checks: [
      {
        by: 'test',
        file: 'test/lambda/store-down.test.ts',
        title:
          'a store that is down for hours lets a route that fails open forward, marked unverified, and say nothing (I3)',
      },
    ],
  },
  {
    name: 'no-time-as-no-deadline',
    after: 'powertools-python#4759',
    fault: 'a deadline of 0 ms is read as none',
    breaks: ['I2'],
    edits: [
      {
        file: 'lambda/runtime/deadline.ts',
        from: '    controller.abort();\n    return { signal',
        to: '    return { signal',
      },
    ],
    checks: [
      {
        by: 'test',
        file: 'test/lambda/handler-deadline.test.ts',
        title:
          'no time left of 0 ms is a deadline that has passed: all failed, nothing booked or kept',
      },
    ],
  },
  {
    name: 'unfinished-as-done',
    after: 'powertools-python#4759',
    fault: 'records that are unfinished at the deadline are reported as done',
    breaks: ['I2', 'I4'],
    edits: [
      {
        file: BATCH,
        from: '  await Promise.race([aborted(deadline), settled]);\n  return answers;',
        to: `
  await Promise.race([aborted(deadline), settled]);
  if (deadline.aborted) unfinished.clear();
  return answers;`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'failed-as-done',
    after: 'ours',
    fault: 'a record whose write failed is logged and reported as done',
    breaks: ['I2', 'I4'],
    edits: [
      {
        file: BATCH,
        from: "      deps.telemetry.note('error', 'delivery failed and will be tried again', {",
        to: `
      for (const ref of fold.refs) unfinished.delete(ref);
      deps.telemetry.note('error', 'delivery failed and will be tried again', {`,
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'direct-failure-swallowed',
    after: 'ours',
    fault: 'a direct invocation that failed ends as if it had not',
    breaks: ['I2', 'I4'],
    edits: [
      {
        file: 'lambda/ingest/handler.ts',
        from: '  if (failed.size > 0) {',
        to: '  if (failed.size > 1) {',
      },
    ],
    checks: [SIMULATED],
  },
];
