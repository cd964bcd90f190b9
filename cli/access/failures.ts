/** What a failure of AWS or of the local cloud means, in words, with what to do next. */
import { printable } from '../../core/base/printable.ts';
import type { Choice } from './options.ts';

/** Longest text of a service that is repeated. */
const TEXT_CHARS_MAX = 500;

/** A failure that a person can do something about. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/**
 * The failure in words, as an AccessError; one that is not known is given back as it is.
 * Errors of this program itself, such as a UsageError, pass through.
 */
export function explained(error: unknown, choice: Choice): unknown {
  if (!(error instanceof Error) || error instanceof AccessError) return error;
  const text = choice.kind === 'local' ? localText(error, choice.url) : awsText(error, choice);
  return text === undefined ? error : new AccessError(text, { cause: error });
}

function localText(error: Error, url: string): string | undefined {
  if (isUnreachable(error)) {
    return (
      `no local cloud answers at ${url} (${codeOf(error) ?? error.name}); bring it up with: npm start. ` +
      'With another --api-port, say where: --local http://127.0.0.1:PORT. For a bridge on AWS add --profile, --region or --stack.'
    );
  }
  // Whatever else listens there answers with a page, or without an error that AWS would name.
  if (isUnreadable(error)) {
    return `what answers at ${url} is no local cloud of this version (${shown(error.message)}); bring one up with: npm start, or say where it is: --local URL`;
  }
  return undefined;
}

type AwsChoice = Extract<Choice, { kind: 'aws' }>;

function awsText(error: Error, choice: AwsChoice): string | undefined {
  const { name, message } = error;
  if (/^Region is missing/.test(message)) {
    return 'no Region is set; add --region, e.g. --region eu-central-1, or set AWS_REGION or the region of the profile';
  }
  if (isExpired(error)) {
    return `the credentials${profileOf(choice)} have expired (${shown(message)}); get new ones, e.g. with: aws sso login${choice.profile === undefined ? '' : ` --profile ${shown(choice.profile)}`}`;
  }
  if (
    /CredentialsProvider|TokenProvider/.test(name) ||
    /Could not load credentials/.test(message)
  ) {
    return `there are no credentials for AWS${profileOf(choice)}: ${shown(message)}. Name a profile with --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without --profile, --region and --stack the local cloud is asked.`;
  }
  if (UNKNOWN_KEY.has(name)) {
    return `AWS does not know the credentials${profileOf(choice)} (${name}: ${shown(message)}); look at: aws sts get-caller-identity`;
  }
  if (/^AccessDenied|^UnauthorizedOperation|^NotAuthorized/.test(name)) return deniedText(message);
  if (isUnreachable(error)) {
    const where = choice.region === undefined ? '' : `; is ${shown(choice.region)} a Region?`;
    return `AWS does not answer (${codeOf(error) ?? name}: ${shown(message)})${where}`;
  }
  return undefined;
}

/** AWS names the action; whoever grants it needs the name and the resource. */
function deniedText(message: string): string {
  const action = /to perform:? ?([a-z0-9-]+:[A-Za-z]+)/.exec(message)?.[1];
  const what = action === undefined ? 'this' : `the action ${action}`;
  return `${what} is not allowed to these credentials: ${shown(message)}`;
}

const UNKNOWN_KEY = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'AuthFailure',
]);

function isExpired({ name, message }: Error): boolean {
  return (
    /^(ExpiredToken|ExpiredTokenException|RequestExpired)$/.test(name) ||
    /\b(has|is) expired\b|session.*expired|token.*expired/i.test(message)
  );
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
]);

function isUnreachable(error: Error): boolean {
  return error.name === 'TimeoutError' || UNREACHABLE.has(codeOf(error) ?? '');
}

/** The SDK could make nothing of the answer. */
function isUnreadable(error: Error): boolean {
  return (
    error instanceof SyntaxError ||
    ['UnknownError', 'Unknown', 'NotFound', '404'].includes(error.name) ||
    /Deserialization error|char '.' is not expected|UnknownError|Parse Error/.test(error.message)
  );
}

function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Node.js gathers the failures of all addresses of a name.
  if (error instanceof AggregateError) return error.errors.map(codeOf).find((code) => code);
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}

function profileOf({ profile }: AwsChoice): string {
  return profile === undefined ? '' : ` of the profile ${shown(profile)}`;
}

function shown(text: string): string {
  return printable(text.replaceAll(/\s+/g, ' ').trim(), TEXT_CHARS_MAX);
}
