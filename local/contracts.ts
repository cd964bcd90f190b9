/**
 * What the parts of the local cloud say to one another. Each part owns one AWS service; `cloud.ts`
 * alone knows them all and connects them.
 */
import type { EpochMillis } from '../core/base/time.ts';

/** One statement of an IAM or AWS IoT policy, intrinsics resolved. */
export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

/** An IAM or AWS IoT policy document, intrinsics resolved. */
export interface PolicyDocument {
  readonly Statement: readonly PolicyStatement[];
}

/** One action of a topic rule: what receives the rule's output. */
export type RuleAction =
  | { readonly kind: 'sqs'; readonly queueUrl: string; readonly roleArn: string }
  | { readonly kind: 'lambda'; readonly functionArn: string };

/** An `AWS::IoT::TopicRule` of the template. */
export interface TopicRule {
  readonly name: string;
  readonly arn: string;
  readonly sql: string;
  readonly sqlVersion: string;
  readonly actions: readonly RuleAction[];
  readonly errorAction: RuleAction | undefined;
}

/**
 * Hands the output of a rule to the target of an action. Rejects when the target does not take it;
 * the rule's error action is tried then. `payload` is JSON text, UTF-8.
 */
export type ActionSink = (rule: TopicRule, action: RuleAction, payload: string) => Promise<void>;

/** A message that has reached the broker, as the rules engine sees it. */
export interface InboundMessage {
  /** The topic as published, Basic Ingest's `$aws/rules/NAME/` included. */
  readonly topic: string;
  readonly payload: Buffer;
  /** Undefined when the publication did not come over MQTT. */
  readonly clientId: string | undefined;
  /** Thumbprint of the client's certificate, or what stands for it here. */
  readonly principal: string | undefined;
  readonly receivedAt: EpochMillis;
  /** MQTT 5 user properties, in the order sent. MQTT 3.1.1 has none: absent. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[] | undefined;
  /** MQTT 5 correlation data. MQTT 3.1.1 has none: absent. */
  readonly correlationData?: Buffer | undefined;
}

/** The faults that can be switched on; every chance is a number from 0 to 1. */
export interface Faults {
  /** The message passes the rule twice, or an action hands it over twice. */
  readonly duplicate: number;
  /** An action is held back for up to `delayMillis`. */
  readonly delay: number;
  readonly delayMillis: number;
  /** A publication of the bridge to a device (a receipt, a forward) is lost after it was taken. */
  readonly drop: number;
  /** A queue hands out another message than the oldest. */
  readonly reorder: number;
  /** A rule's action fails for good, so that its error action takes over. */
  readonly failAction: number;
  /** The function is ended with SIGKILL when its write arrives, before the table has it. */
  readonly crashBeforeWrite: number;
  /** The function is ended with SIGKILL when its write has landed, before the answer. */
  readonly crashAfterWrite: number;
  /** The write has landed; the answer is lost on the way. */
  readonly loseAnswer: number;
  /** A table refuses a request with `ProvisionedThroughputExceededException`. */
  readonly throttle: number;
}

export const noFaults: Faults = {
  duplicate: 0,
  delay: 0,
  delayMillis: 0,
  drop: 0,
  reorder: 0,
  failAction: 0,
  crashBeforeWrite: 0,
  crashAfterWrite: 0,
  loseAnswer: 0,
  throttle: 0,
};

/** The one seeded source of chance: the same seed draws the same numbers in the same order. */
export interface Chance {
  /** True with the given probability (0 to 1). Draws nothing for 0 and 1. */
  happens(probability: number): boolean;
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
}

/** What happens inside, for counters, consoles and tests. */
export type CloudEvent =
  | {
      /** A message has passed a rule: one delivery. A repeated one is a second delivery. */
      readonly kind: 'delivery';
      readonly rule: string;
      readonly topic: string;
      readonly clientId: string | undefined;
      readonly payload: Buffer;
      /** What the rule's SQL made of it and its actions are handed: JSON text. */
      readonly output: string;
      /** What the error action calls the message, should it take over. */
      readonly traceId: string;
    }
  | {
      /** A function's write to a table has been answered by the engine: it landed or was refused. */
      readonly kind: 'table';
      readonly functionName: string;
      /** As DynamoDB names it, e.g. `UpdateItem`. */
      readonly operation: string;
      /** DynamoDB's JSON, as sent and as answered. */
      readonly request: Buffer;
      readonly status: number;
      readonly answer: Buffer;
    }
  | { readonly kind: 'fallback'; readonly rule: string; readonly reason: string }
  | { readonly kind: 'fault'; readonly fault: keyof Faults; readonly where: string }
  | { readonly kind: 'disconnect'; readonly clientId: string; readonly reason: string }
  | {
      readonly kind: 'invocation';
      readonly functionName: string;
      readonly outcome: 'ok' | 'error' | 'crash' | 'time-out';
      readonly durationMillis: number;
      readonly error: string | undefined;
    }
  | { readonly kind: 'log'; readonly functionName: string; readonly line: string }
  | {
      readonly kind: 'published';
      readonly topic: string;
      readonly payload: Buffer;
      readonly qos: 0 | 1;
    }
  | { readonly kind: 'dead-letter'; readonly queueName: string; readonly reason: string }
  | {
      /** Basic Ingest named a rule that does not exist: discarded, as AWS's `RuleNotFound`. */
      readonly kind: 'rule-not-found';
      readonly rule: string;
      readonly topic: string;
    }
  | {
      /** A message that no one keeps any more: no error action, or it failed as well. */
      readonly kind: 'lost';
      readonly where: string;
      readonly topic: string;
      readonly reason: string;
    };

/** Told of every event, in order. Must not throw. */
export type Observer = (event: CloudEvent) => void;
