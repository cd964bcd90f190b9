/** When to stop: a function that is ended at its time-out answers nobody. */

export interface Deadline {
  readonly signal: AbortSignal;
  readonly cancel: () => void;
}

/** No time left is a deadline that has passed, not one that is missing. */
export function abortAfter(millis: number): Deadline {
  const controller = new AbortController();
  if (millis <= 0) {
    controller.abort();
    return { signal: controller.signal, cancel: () => {} };
  }
  const timer = setTimeout(() => controller.abort(), millis);
  return { signal: controller.signal, cancel: () => clearTimeout(timer) };
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
