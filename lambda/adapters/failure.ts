import { RetryableError, TerminalError } from '../../core/base/errors.ts';

/**
 * Decides once, where an AWS client has thrown, whether trying again can help.
 *
 * @param terminal names of the errors by which the service says that this very request can never
 * succeed. A missing permission or table is never among them: an operator can mend those while
 * the queue holds the record.
 */
export function failureOf(
  action: string,
  error: unknown,
  terminal: ReadonlySet<string>,
): TerminalError | RetryableError {
  const cause = error instanceof Error ? error : new Error(String(error));
  const text = `${action} failed: ${cause.name}: ${cause.message}`;
  return terminal.has(cause.name)
    ? new TerminalError(text, { cause })
    : new RetryableError(text, { cause });
}

/** DynamoDB API reference, "Common Errors" and UpdateItem. */
export const DYNAMODB_TERMINAL: ReadonlySet<string> = new Set([
  'ValidationException',
  'ItemCollectionSizeLimitExceededException',
]);

/** AWS IoT data plane API reference, Publish. */
export const DATA_PLANE_TERMINAL: ReadonlySet<string> = new Set([
  'InvalidRequestException',
  'MethodNotAllowedException',
  'RequestEntityTooLargeException',
]);
