/** What commands that ask a bridge have in common: find it, use it, say what went wrong, leave. */
import type { Bridge } from '../../core/config/route.ts';
import { printError } from '../output/print.ts';
import type { ExitStatus } from '../shell/usage.ts';
import { type BridgeClient, openAccess } from './access.ts';
import { explained } from './failures.ts';
import { type AccessFlags, choiceOf } from './options.ts';

/**
 * Opens the bridge that the flags name, sets the exit status to what `use` gives, and ends its
 * clients. `bridge` is for tests; commands read `tollbridge.config.ts`.
 * @throws UsageError, AccessError, or what `use` throws where it is no failure of AWS
 */
export async function withBridge(
  flags: AccessFlags,
  use: (access: BridgeClient) => Promise<ExitStatus>,
  bridge?: Bridge,
): Promise<void> {
  const access = await openAccess(flags, bridge);
  try {
    // A person must see which bridge it was; a program reads standard output alone.
    if (process.stderr.isTTY) printError(`asking ${access.where}`);
    process.exitCode = await use(access);
  } catch (error) {
    throw explained(error, choiceOf(flags));
  } finally {
    access.close();
  }
}
