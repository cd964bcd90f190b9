/** How an invocation of a function can end. */

export type InvocationOutcome =
  | { readonly kind: 'ok'; readonly result: unknown }
  | { readonly kind: 'error'; readonly errorType: string; readonly message: string }
  | { readonly kind: 'crash' }
  | { readonly kind: 'time-out' };

/** Runs a function once. Rejects only when the function cannot be run at all (unknown, closed). */
export type Invoke = (
  functionName: string,
  event: unknown,
  requestId?: string,
) => Promise<InvocationOutcome>;

/** What Lambda says of a failed invocation, in records, attributes and events. */
export function failureOf(outcome: Exclude<InvocationOutcome, { readonly kind: 'ok' }>): {
  readonly errorType: string;
  readonly errorMessage: string;
} {
  switch (outcome.kind) {
    case 'error':
      return { errorType: outcome.errorType, errorMessage: outcome.message };
    case 'crash':
      return { errorType: 'Runtime.ExitError', errorMessage: 'the process of the function ended' };
    case 'time-out':
      return { errorType: 'Sandbox.Timedout', errorMessage: 'the function ran into its time-out' };
  }
}
