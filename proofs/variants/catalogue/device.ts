/** Faults in the device, and in what it is told. */
import { type Edit, SIMULATED, type Variant } from '../variant.ts';

const ANSWERS = 'device/publish/answers.ts';
const SENDER = 'device/publish/sender.ts';

/** The device finds the message that a receipt is of by its id. */
const TAKEN_BY_ID: Edit = {
  file: ANSWERS,
  from: '    const entry = this.#outbox.findHash(route, answer.bodyHash);',
  to: `
    const { id, bodyHash } = answer;
    const entry =
      id === undefined ? this.#outbox.findHash(route, bodyHash) : this.#outbox.find(route, id);`,
};

export const device: readonly Variant[] = [
  {
    name: 'receipt-names-id-alone',
    after: 'ours',
    fault:
      'a receipt names an id only: after re-use of the id an old one is taken for that of the new body',
    breaks: ['I3', 'I2'],
    edits: [
      {
        file: 'core/wire/receipts.ts',
        from: '      const { bodyHash, outcome, bookedAt } = receipt;\n      return { bodyHash, outcome, bookedAt };',
        to: '      const { outcome, bookedAt } = receipt;\n      return { outcome, bookedAt };',
      },
      {
        file: 'core/wire/receipts.ts',
        from: '  const { id: told, bodyHash, outcome } = value;',
        to: "  const { id: told, bodyHash = '0'.repeat(64), outcome } = value;",
      },
      TAKEN_BY_ID,
    ],
    checks: [SIMULATED],
  },
  {
    name: 'hash-not-checked',
    after: 'ours',
    fault: 'the device takes a receipt by its id, whatever body it names',
    breaks: ['I2', 'I3'],
    edits: [TAKEN_BY_ID],
    checks: [
      {
        by: 'test',
        file: 'test/device/publish/answers.test.ts',
        title: 'an answer with another body changes nothing, and is told',
      },
    ],
  },
  {
    name: 'query-answered-by-id',
    after: 'ours',
    fault: 'a query is answered `accepted` for any body under a booked id',
    breaks: ['I3', 'I2'],
    edits: [
      {
        file: 'lambda/handshake/answers.ts',
        from: '    if (row !== undefined && bodyHashOf(row.topic, Buffer.from(row.body)) === bodyHash) {',
        to: '    if (row !== undefined && bodyHashOf(row.topic, Buffer.from(row.body)) !== undefined) {',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/lambda/handshake.test.ts',
        title:
          'a query hears unknown of another body under a booked id until that has arrived, then rejected',
      },
    ],
  },
  {
    name: 'dropped-at-puback',
    after: 'ours',
    fault: 'the device drops a message at its PUBACK',
    breaks: ['I2'],
    edits: [
      {
        file: SENDER,
        from: "      if (acknowledged() && entry?.state === 'booked') this.#releases.add(entry, timers.now());",
        to: `
      if (outcome.kind === 'acknowledged' && entry?.state === 'pending') {
        this.#window.remove(entry);
        const now = epochMillis(timers.now());
        const booked = () => {
          if (entry.state === 'booked') this.#booked(entry);
        };
        this.#ports.outbox.book(entry, 'accepted', now).then(booked, () => {});
      }
      if (acknowledged() && entry?.state === 'booked') this.#releases.add(entry, timers.now());`,
      },
      {
        file: SENDER,
        from: "import { idText } from '../../core/message/id.ts';",
        to: "import { epochMillis } from '../../core/base/time.ts';\nimport { idText } from '../../core/message/id.ts';",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'rejected-dropped',
    after: 'ours',
    fault: 'the device drops a rejected message instead of setting it aside',
    breaks: ['I2'],
    edits: [
      {
        file: 'device/outbox/outbox.ts',
        from: "      put('rejected', record.serial, rejected),\n",
        to: "      remove('body', record.serial),\n",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'sent-before-kept',
    after: 'ours',
    fault: 'the device sends a message before its bytes are on disk',
    breaks: ['I2'],
    edits: [
      {
        file: 'device/outbox/outbox.ts',
        from: "      await this.#options.store.write(changes);\n      entry.state = 'pending';",
        to: "      entry.state = 'pending';\n      this.#options.store.write(changes).catch(() => {});",
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'counter-not-kept',
    after: 'ours',
    fault: 'with a message the number it took is written down, and not the next one',
    breaks: ['I2', 'I5'],
    edits: [
      {
        file: 'device/outbox/outbox.ts',
        from: "      changes.push(put('counter', route, next));",
        to: "      changes.push(put('counter', route, counter));",
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/device/outbox/outbox.test.ts',
        title: 'a counter goes on after a restart, and is written with its message',
      },
    ],
  },
  {
    name: 'released-before-puback',
    after: 'ours',
    fault: 'an id is released, and forgotten, while a PUBLISH of it has no PUBACK',
    breaks: ['I7'],
    edits: [
      {
        file: SENDER,
        from: '    if (this.#acknowledgements.of(entry) > 0) return;\n',
        to: '    if (this.#acknowledgements.of(entry) < 0) return;\n',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/device/publish/release.test.ts',
        title: 'a full handshake releases no id while one of its packets has no PUBACK',
      },
    ],
  },
];
