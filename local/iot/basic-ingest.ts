/**
 * Basic Ingest's reserved topics: `$aws/rules/NAME/rest` goes to the rule NAME alone. The first
 * three levels count neither for the limits of a topic nor for `topic()`
 * (AWS IoT developer guide, "Reducing messaging costs with Basic Ingest").
 */

const PREFIX = '$aws/rules/';

export interface BasicIngest {
  readonly rule: string;
  /** The topic as the rule sees it; empty when nothing follows the rule's name. */
  readonly rest: string;
}

/** What a Basic Ingest topic addresses, or undefined for every other topic. */
export function basicIngestOf(topic: string): BasicIngest | undefined {
  if (!topic.startsWith(PREFIX)) return undefined;
  const address = topic.slice(PREFIX.length);
  const slash = address.indexOf('/');
  if (slash === -1) return { rule: address, rest: '' };
  return { rule: address.slice(0, slash), rest: address.slice(slash + 1) };
}

/** The topic as a rule's SQL sees it. */
export function visibleTopic(topic: string): string {
  return basicIngestOf(topic)?.rest ?? topic;
}
