/** What the doctor finds, and how a question that may not be asked is told. */
import { printable } from '../../core/base/printable.ts';

export interface Finding {
  /**
   * `fine`; `watch`: right now, and worth a look; `wrong`: somebody has to do something; `unknown`:
   * it could not be asked; `none`: the local cloud has no counterpart.
   */
  readonly state: 'fine' | 'watch' | 'wrong' | 'unknown' | 'none';
  readonly check: string;
  readonly subject: string;
  /** What was found. */
  readonly text: string;
  /** What to do; null where there is nothing to do. */
  readonly fix: string | null;
}

type About = Pick<Finding, 'check' | 'subject'>;

export const fine = (about: About, text: string): Finding => ({
  ...about,
  state: 'fine',
  text,
  fix: null,
});

export const bad = (
  about: About,
  text: string,
  fix: string,
  state: 'wrong' | 'watch' = 'wrong',
): Finding => ({ ...about, state, text, fix });

export const none = (about: About, text: string): Finding => ({
  ...about,
  state: 'none',
  text,
  fix: null,
});

const TEXT_CHARS_MAX = 300;

/**
 * Asks, and tells a refusal of the service as a finding of its own, so that one missing right hides
 * no other finding. What is no answer of a service (no network, no credentials) is thrown on.
 * @param action the right that it takes, e.g. `iot:GetTopicRule`
 */
export async function asked(
  about: About,
  action: string,
  ask: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error) || isOfCredentials(error)) throw error;
    const isDenied = /^AccessDenied|^Unauthorized|^NotAuthorized|^AuthorizationError/.test(
      error.name,
    );
    const said = printable(`${error.name}: ${error.message}`, TEXT_CHARS_MAX);
    return [
      {
        ...about,
        state: 'unknown',
        text: isDenied ? `${action} is not allowed to these credentials` : `${action}: ${said}`,
        fix: isDenied
          ? `allow ${action} to whoever runs this, or ask with another --profile`
          : 'ask again; if it stays so, look at the health of the service',
      },
    ];
  }
}

/** Then nothing at all can be asked, which is said once and not for each check. */
function isOfCredentials({ name }: Error): boolean {
  return /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|RequestExpired|AuthFailure)/.test(
    name,
  );
}

/** In the order of what has to be looked at first. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const rank = (state: Finding['state']) =>
    ['wrong', 'unknown', 'watch', 'fine', 'none'].indexOf(state);
  return findings.toSorted((one, other) => rank(one.state) - rank(other.state));
}
