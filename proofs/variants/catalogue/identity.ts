/** Faults in who speaks, and in what an id is. */
import { SIMULATED, type Variant } from '../variant.ts';

const SOURCES = 'core/message/id-sources.ts';

export const identity: readonly Variant[] = [
  {
    name: 'key-without-device',
    after: 'ours',
    fault: 'the key is route and id alone',
    breaks: ['I6', 'I1', 'I5'],
    edits: [
      {
        file: 'core/message/id.ts',
        from: '  return { pk: partitionOf(route, device), id: encodeId(id) };',
        to: "  return { pk: partitionOf(route, device.slice(0, 0) || 'all'), id: encodeId(id) };",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'body-in-key',
    after: 'ours',
    fault:
      'the key holds the body as well, so that another body under a used id is another message',
    breaks: ['I5'],
    edits: [
      {
        file: 'core/guarantees/exactly-once/row.ts',
        from: '  const { key } = message;',
        to: '  const key = { ...message.key, id: `${message.key.id} ${message.fingerprint}` };',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'client-not-compared',
    after: 'ours',
    fault: '`clientid()` is not compared with the topic',
    breaks: ['I6'],
    edits: [
      {
        file: 'core/message/message.ts',
        from: '  if (route.trustTopicLevel === null && delivery.clientId !== device) {',
        to: '  if (route.trustTopicLevel === null && delivery.clientId === undefined) {',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'requests-in-any-name',
    after: 'ours',
    fault: 'a device may release and query in the name of another',
    breaks: ['I6'],
    edits: [
      {
        file: 'lambda/handshake/handler.ts',
        from: '  if (!route.trustsTopicLevel && clientId !== device) {',
        to: '  if (!route.trustsTopicLevel && clientId === undefined) {',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/lambda/handshake.test.ts',
        title: 'a device (I6) asks nothing in the name of another, and neither of them hears of it',
      },
    ],
  },
  {
    name: 'parts-run-together',
    after: 'fxa#21129',
    fault: 'joined parts have neither length nor escape',
    breaks: ['I5', 'I1'],
    edits: [
      { file: SOURCES, from: '`all:${JSON.stringify(keys)}`', to: "`all:${keys.join(':')}`" },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'time-alone',
    after: 'thingsboard#5714',
    fault: '`timestamp` alone is taken for `exactly-once`',
    breaks: ['I1', 'I5'],
    edits: [
      {
        file: 'core/config/check-rules.ts',
        from: '      refuseTimeAlone(problems, at, route);\n',
        to: '      if (problems === undefined) refuseTimeAlone(problems, at, route);\n',
      },
    ],
    checks: [
      {
        by: 'test',
        file: 'test/config/ids.test.ts',
        title:
          'a billing id cannot be a timestamp alone: two charges in one millisecond would be one',
      },
    ],
  },
  {
    name: 'missing-as-empty',
    after: 'iotedge-lorawan-starterkit#1152',
    fault: 'a missing part becomes the empty text',
    breaks: ['I5', 'I1'],
    edits: [
      {
        file: 'core/message/id.ts',
        from: "    return { ok: false, reason: 'missing-id', detail: `${where} is missing` };",
        to: "    return { ok: true, id: { kind: 'text', text: '' } };",
      },
      {
        file: 'core/message/id.ts',
        from: "  if (value === '') return { ok: false, reason: 'missing-id', detail: `${where} is empty` };",
        to: "  if (value === '') return { ok: true, id: { kind: 'text', text: '' } };",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'dup-trusted',
    after: 'emqx#16721, #18441',
    fault: 'a PUBLISH with DUP=1 is taken for a copy',
    breaks: ['I2', 'I3'],
    edits: [
      {
        file: 'lambda/ingest/handler.ts',
        from: '    ? { ref, delivery: reading.delivery }',
        to: '    ? { ref, delivery: { ...reading.delivery, isDup: (envelope as never)[`dup`] } }',
      },
      {
        file: 'lambda/ingest/process-message.ts',
        from: '  const valid: ValidDelivery = { delivery, deliveryIds, reading };',
        to: `
  if ((fold.delivery as unknown as { isDup?: boolean }).isDup) {
    const { message } = reading;
    const receipt = bookedReceipt(message, { kind: 'duplicate', bookedAt: deps.clock() });
    return { answerTo: message.device, receipt };
  }
  const valid: ValidDelivery = { delivery, deliveryIds, reading };`,
      },
    ],
    checks: [SIMULATED],
  },
];
