/** The ingest bundle with one option changed, to see what each is worth. */
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { AS_DEPLOYED } from '../harness/bundle.ts';

export interface Variant {
  readonly title: string;
  readonly build: BuildOptions;
}

const { alias } = AS_DEPLOYED;
const { '@smithy/core/event-streams': _, ...withEventStreams } = alias;
const { '@aws-sdk/credential-provider-node': __, ...withCredentialChain } = alias;
const noDiscovery = fileURLToPath(new URL('no-endpoint-discovery.ts', import.meta.url));

/** Built and timed. */
export const variants: readonly Variant[] = [
  { title: 'options of the template', build: {} },
  { title: 'mainFields: main, module (CommonJS first)', build: { mainFields: ['main', 'module'] } },
  { title: 'the whole credential chain', build: { alias: withCredentialChain } },
  { title: 'event streams, which the SDK loads on demand', build: { alias: withEventStreams } },
  {
    title: 'no endpoint discovery',
    build: { alias: { ...alias, '@aws-sdk/middleware-endpoint-discovery': noDiscovery } },
  },
  { title: 'not minified', build: { minify: false } },
];

/** Built, and timed only by their bytes: a bundle of the same bytes starts in the same time. */
export const settings: readonly Variant[] = [
  { title: 'target: esnext', build: { target: 'esnext' } },
  { title: 'target: node20', build: { target: 'node20' } },
  { title: 'treeShaking: true', build: { treeShaking: true } },
  { title: 'legalComments: none', build: { legalComments: 'none' } },
  { title: 'define: NODE_ENV', build: { define: { 'process.env.NODE_ENV': '"production"' } } },
  { title: 'drop: debugger', build: { drop: ['debugger'] } },
  { title: 'pure: Symbol.for, Object.freeze', build: { pure: ['Symbol.for', 'Object.freeze'] } },
];
