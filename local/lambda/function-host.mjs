// @ts-check
/**
 * The inside of an execution environment: loads a function's bundle and runs one event at a time.
 * It is started with `fork` by execution-environment.ts and is plain JavaScript, so that the child
 * needs no loader and holds nothing but Node.js and the bundle.
 *
 * Owns the handler. Keeps these invariants: every `invoke` is answered once, or the process ends;
 * the process ends when its parent does.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} InvokeMessage
 * @property {'invoke'} kind
 * @property {unknown} event
 * @property {number} timeoutMillis
 * @property {Readonly<Record<string, string>>} context
 */
/** @typedef {(event: unknown, context: object) => unknown} Handler */

const taskRoot = process.env.LAMBDA_TASK_ROOT ?? '';
const handlerName = process.env._HANDLER ?? '';

process.on('disconnect', () => process.exit(0));

/** @param {object} message */
function tellParent(message) {
  process.send?.(message);
}

/**
 * @param {string} errorType
 * @param {string} message
 * @returns {Error}
 */
function runtimeError(errorType, message) {
  const error = new Error(message);
  error.name = errorType;
  return error;
}

/**
 * Lambda's own order of file endings: `.mjs` and `.cjs` say what they are, `.js` is looked up first.
 * @returns {Promise<Handler>}
 */
async function loadHandler() {
  const dot = handlerName.lastIndexOf('.');
  const base = join(taskRoot, handlerName.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs']
    .map((ending) => base + ending)
    .find((path) => existsSync(path));
  if (file === undefined) {
    throw runtimeError('Runtime.ImportModuleError', `Cannot find "${base}" (.js, .mjs or .cjs)`);
  }
  const module = await import(pathToFileURL(file).href);
  const name = handlerName.slice(dot + 1);
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== 'function') {
    throw runtimeError('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  }
  if (handler.length > 2) {
    const message = `${handlerName} takes a callback; Node.js 24 on Lambda runs async functions only`;
    throw runtimeError('Runtime.CallbackHandlerDeprecated', message);
  }
  return handler;
}

/**
 * @param {Handler} handler
 * @param {InvokeMessage} message
 */
async function run(handler, message) {
  const deadline = Date.now() + message.timeoutMillis;
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: '$LATEST',
    ...message.context,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await handler(message.event, context);
    // Lambda answers JSON text; what cannot be written as such is the function's error.
    tellParent({ kind: 'done', resultText: JSON.stringify(result ?? null) });
  } catch (error) {
    tellParent({ kind: 'failed', ...describe(error) });
  }
}

/** @param {unknown} error */
function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, message: String(error) };
  process.stderr.write(`${error.stack ?? error.message}\n`);
  return { errorType: error.name, message: error.message };
}

try {
  const handler = await loadHandler();
  process.on('message', (/** @type {InvokeMessage} */ message) => void run(handler, message));
  tellParent({ kind: 'ready' });
} catch (error) {
  // The parent ends this process once it has read the answer.
  tellParent({ kind: 'failed', ...describe(error) });
}
