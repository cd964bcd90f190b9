import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for an outbox, new and empty. */
export function newOutbox(): string {
  return join(mkdtempSync(join(tmpdir(), 'tollbridge-device-')), 'outbox');
}
