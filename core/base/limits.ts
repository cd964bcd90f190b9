/**
 * Every limit in one place, the unit in the name. Where AWS sets the figure, the page is named.
 * `test/core/base/limits.test.ts` asserts the relations between them.
 */

/** IoT Core quota "Maximum MQTT payload size". */
export const MQTT_PAYLOAD_BYTES_MAX = 131_072;
/** IoT Core quota "Topic size". */
export const TOPIC_BYTES_MAX = 256;
/** IoT Core quota "Maximum number of slashes in topic and topic filter". */
export const TOPIC_SLASHES_MAX = 7;
/** IoT Core quota "Client ID size"; a device's name is its client id. */
export const DEVICE_BYTES_MAX = 128;

/**
 * The largest body that is booked. Base64 makes it 122,880 bytes, which leaves 8 KiB of a rule's
 * 128 KB output to the rest of the envelope.
 */
export const BODY_BYTES_MAX = 92_160;
/** Deeper bodies are refused before they are parsed, so that no parser runs out of stack. */
export const BODY_DEPTH_MAX = 64;
/** No page of AWS limits what a rule puts out; the local cloud takes this for one, which is a caution. */
export const RULE_OUTPUT_BYTES_MAX = 131_072;

export const ID_BYTES_MAX = 256;

/** DynamoDB, "Constraints": partition key and sort key values. */
export const PARTITION_KEY_BYTES_MAX = 2_048;
export const SORT_KEY_BYTES_MAX = 1_024;
/** DynamoDB, "Constraints": item size, names and values together. */
export const ITEM_BYTES_MAX = 409_600;
/** DynamoDB, "Supported data types": up to 38 digits, 1E-130 to 9.99…E+125, either sign. */
export const NUMBER_DIGITS_MAX = 38;
export const NUMBER_EXPONENT_MIN = -130;
export const NUMBER_EXPONENT_MAX = 125;

/** A device clock may run ahead of the cloud's by this much. */
export const CLOCK_AHEAD_MILLIS_MAX = 24 * 3_600_000;
/** What a route accepts of the past when it does not say: a device may be off for a year. */
export const MAX_AGE_DAYS_DEFAULT = 366;
export const MAX_AGE_DAYS_MAX = 3_660;
export const INDEX_SHARDS_MAX = 100;

/** Writes of one batch that are under way at a time. */
export const BATCH_WRITES_CONCURRENT_MAX = 20;
/** A batch stops this long before the function's time-out, to send receipts and to answer. */
export const DEADLINE_RESERVE_MILLIS = 3_000;
/** And waits for receipts until this long before it. */
export const ANSWER_RESERVE_MILLIS = 1_000;
/**
 * The receipts of one publication stay below this, so that it fits IoT Core's payload: 701 bookings
 * with UUIDs, of 171 bytes each. A thousand of them have 171,000 bytes, more than any payload.
 */
export const RECEIPTS_BYTES_MAX = 120_000;
/** Text of a device that is repeated in a detail, a log or a receipt is cut to this. */
export const QUOTED_CHARS_MAX = 64;
/** A detail in a receipt; the quarantine row has the whole of it. */
export const DETAIL_CHARS_MAX = 256;

/** The function's own figures; the template is made from them. */
export const FUNCTION_TIMEOUT_SECONDS = 30;
export const FUNCTION_MEMORY_MIB = 512;
/** AWS Lambda, "Using Lambda with Amazon SQS": at least six times the function's time-out. */
export const QUEUE_VISIBILITY_SECONDS = 180;
/** 180 s × 125 is 6.25 h: a store that is down for six hours costs no dead letter. */
export const QUEUE_RECEIVES_MAX = 125;
export const QUEUE_RETENTION_DAYS = 4;
export const DEAD_LETTER_RETENTION_DAYS = 14;
export const QUEUE_BATCH_MESSAGES = 10;
/** AWS Lambda, "Using Lambda with Amazon SQS": larger batches have to wait for a second at least. */
export const QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX = 10;
/** Fifty rounds of concurrent writes: a small part of the function's time-out. */
export const QUEUE_BATCH_MESSAGES_MAX = 1_000;
/** Below the 30 s after which a device sends again; AWS's pollers may wait as long on their own. */
export const QUEUE_BATCH_WAIT_SECONDS_MAX = 20;
/** AWS Lambda, asynchronous invocation: the defaults, written down. */
export const ASYNC_RETRIES = 2;
export const ASYNC_AGE_HOURS_MAX = 6;
/** AWS Lambda's shortest age of an event: a device asks again after half of it. */
export const REQUEST_AGE_SECONDS_MAX = 60;
export const LOG_RETENTION_DAYS = 90;

/** Left for a redrive that was begun at the last moment. */
export const REDRIVE_RESERVE_SECONDS = 86_400;
/**
 * L: the longest that a delivery can be under way (TCP calls it MSL) in the cloud. The queue and the
 * dead-letter queue keep it, Lambda's own queue tries it, and the reserve is added. `lib/` asserts
 * at synth that the template's own figures give the same.
 */
export const MESSAGE_LIFETIME_MAX_SECONDS =
  (QUEUE_RETENTION_DAYS + DEAD_LETTER_RETENTION_DAYS) * 86_400 +
  ASYNC_AGE_HOURS_MAX * 3_600 +
  REDRIVE_RESERVE_SECONDS;

/** A window of a `deduplicated` route. */
export const WINDOW_SECONDS_MAX = 366 * 86_400;
/** Without a time in the message, equal bodies that lie further apart may well be two events. */
export const TIMELESS_HASH_WINDOW_SECONDS_MAX = 300;
/** Parts that `all(…)` may join. */
export const ID_PARTS_MAX = 5;

/** CloudWatch, PutMetricAlarm: periods of an hour or more are looked at for up to seven days. */
export const SILENCE_SECONDS_MAX = 7 * 86_400;

export const HOUR_MILLIS = 3_600_000;
export const DAY_MILLIS = 24 * HOUR_MILLIS;
