import { InvalidArgumentError } from 'commander';

/** A device that can be in a key; "0 rows" of another would say that nothing came of it. */
export function deviceName(text: string): string {
  if (text !== '' && !/[/+#\0]/.test(text)) return text;
  throw new InvalidArgumentError(
    'a device is a level of a topic: not empty, and without / + # or a zero byte.',
  );
}
