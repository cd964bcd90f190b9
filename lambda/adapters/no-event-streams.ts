/**
 * Stands for `@smithy/core/event-streams` in the bundles. The SDK imports it when an operation
 * streams events, which no operation of DynamoDB and of the IoT data plane does. Its real code would
 * never run, and the import alone makes the bundler put most of the SDK into modules that are made
 * one by one when the function starts.
 */
throw new Error(
  'An operation of the AWS SDK streams events, which the bundles leave out: take the alias of @smithy/core/event-streams out of lib/constructs/bundle-options.ts.',
);
