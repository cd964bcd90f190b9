/**
 * A process that writes to a store until it is killed or the disk is full. Each number goes into two
 * areas in one write; an acknowledged one is printed, a failure by its code. The first argument is
 * the folder, the second the first number, the third the bytes of a value.
 */
import { writeSync } from 'node:fs';
import { DeviceError } from '../../../device/errors.ts';
import { openStore, type Store } from '../../../device/store/store.ts';

const WRITERS = 8;
const WRITES_MAX = 20_000;

async function main([folder = '', first = '0', bytes = '40']: readonly string[]): Promise<void> {
  const { store, setAside } = await openStore(folder);
  if (setAside !== undefined) writeSync(1, 'set-aside\n');
  let next = Number(first);
  const end = next + WRITES_MAX;
  const writer = async () => {
    while (next < end) {
      const key = String(next++).padStart(8, '0');
      await writeBoth(store, key, Number(bytes));
      writeSync(1, `${key}\n`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  await store.close();
}

async function writeBoth(store: Store, key: string, bytes: number): Promise<void> {
  await store.write([
    { area: 'outbox', key, value: Buffer.alloc(bytes, key) },
    { area: 'seen', key, value: Buffer.from('1') },
  ]);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  writeSync(1, error instanceof DeviceError ? `${error.code}\n` : `${String(error)}\n`);
  process.exit(3);
});
