/** The bridge's own topics: what a device and the bridge say to one another beside messages. */
import { levelOf } from '../message/topics.ts';

export type OwnTopicName = 'receipts' | RequestKind;
export type RequestKind = 'release' | 'query';

/** `tollbridge/{device}/{name}`; with `+`, the filter of all devices. */
export function ownTopic(device: string, name: OwnTopicName): string {
  return `tollbridge/${device}/${name}`;
}

/** The device and the last level of one of these topics; any of the two may be odd. */
export function readOwnTopic(topic: string): { readonly device: string; readonly name: string } {
  return { device: levelOf(topic, 2) ?? '', name: levelOf(topic, 3) ?? '' };
}

/** The device whose receipts a topic carries; undefined where it carries none. */
export function receiptsDevice(topic: string): string | undefined {
  const { device } = readOwnTopic(topic);
  return topic === ownTopic(device, 'receipts') ? device : undefined;
}
