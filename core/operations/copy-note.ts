/** The record that the function logs of a copy: who sent it, of which message, as which delivery. */
export const COPY_NOTE = 'copy';

export interface CopyNote {
  readonly device: string;
  /** The encoded id. */
  readonly id: string;
  /** A copy that is tried again inside the cloud keeps its deliveryId: count them once. */
  readonly deliveryId: string;
}
