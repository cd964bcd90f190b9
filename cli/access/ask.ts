/** What commands that ask a bridge have in common: find it, use it, say what went wrong, leave. */
import type { Bridge } from '../../core/config/route.ts';
import { tell } from '../output/print.ts';
import type { ExitStatus } from '../shell/usage.ts';
import { type Access, openAccess } from './access.ts';
import { explained } from './failures.ts';
import { type AccessFlags, choiceOf } from './options.ts';

/**
 * Opens the bridge that the flags name, sets the exit status to what `use` gives, and ends its
 * clients. `bridge` is for tests; commands read `tollbridge.config.ts`.
 * @throws UsageError, AccessError, or what `use` throws where it is no failure of AWS
 */
export async function ask(
  flags: AccessFlags,
  use: (access: Access) => Promise<ExitStatus>,
  bridge?: Bridge,
): Promise<void> {
  const access = await openAccess(flags, bridge);
  try {
    // A person must see which bridge it was; a program reads standard output alone.
    if (process.stderr.isTTY) tell(`asking ${access.where}`);
    process.exitCode = await use(access);
  } catch (error) {
    throw explained(error, choiceOf(flags));
  } finally {
    access.close();
  }
}
