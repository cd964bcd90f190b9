import { DeviceError, StoreFailedError } from '../errors.ts';

/** What was thrown, as an error of this package. Only the store throws anything else here. */
export function asDeviceError(error: unknown): DeviceError {
  return error instanceof DeviceError ? error : new StoreFailedError('the outbox', error);
}
