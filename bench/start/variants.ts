/** The ingest bundle with one option changed, to see what each is worth. */
import type { BuildOptions } from 'esbuild';

export interface Variant {
  readonly title: string;
  readonly build: BuildOptions;
}

export const variants: readonly Variant[] = [
  { title: 'options of the template', build: {} },
  { title: 'mainFields: main, module (CommonJS first)', build: { mainFields: ['main', 'module'] } },
  { title: 'the whole credential chain', build: { alias: {} } },
  { title: 'not minified', build: { minify: false } },
];
