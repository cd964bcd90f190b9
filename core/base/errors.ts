/** Whether trying again can help is decided where an error is thrown, by its class. */

/** Trying again cannot help. The delivery is quarantined; the store or broker refused it for good. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Trying again may help. The record is reported as failed and its queue delivers it again. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
}
