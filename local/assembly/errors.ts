/** What the local cloud says when it cannot honestly run a template. */

/** Where something was met, what it was, and what would have been allowed. */
export interface Refusal {
  readonly stack: string;
  /** The resource, output or section of the template. */
  readonly logicalId: string;
  readonly met: string;
  readonly allowed: string;
}

/**
 * The template asks for something that has no counterpart here. Running it all the same would test
 * something else than what is deployed, so it is refused by name.
 */
export class UnsupportedTemplateError extends Error {
  override readonly name = 'UnsupportedTemplateError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(
      `The local cloud cannot run stack "${refusal.stack}", "${refusal.logicalId}": it met ${refusal.met}. ` +
        `Allowed: ${refusal.allowed}. Change the CDK code, or teach local/assembly/ about it.`,
    );
    this.refusal = refusal;
  }
}

/** The folder given is not what `cdk synth` writes. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
}

/** The assembly can be read and run, but AWS would refuse to deploy it as it is. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';
}
