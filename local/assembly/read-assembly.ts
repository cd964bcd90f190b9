/**
 * Reads a synthesized CDK assembly (`cdk.out`): every stack's template and assets, stacks in the
 * order in which they can be deployed. Nothing is resolved here.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { type Environment, localAccountId, localRegion } from './account.ts';
import { AssemblyError, UnsupportedTemplateError } from './errors.ts';

const artifactSchema = z.object({
  type: z.string(),
  environment: z.string().optional(),
  dependencies: z.array(z.string()).optional(),
  properties: z
    .looseObject({
      templateFile: z.string().optional(),
      stackName: z.string().optional(),
      file: z.string().optional(),
    })
    .optional(),
});
const manifestSchema = z.object({ artifacts: z.record(z.string(), artifactSchema) });
type Artifact = z.infer<typeof artifactSchema>;

const assetManifestSchema = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string().optional(), packaging: z.string().optional() }),
        destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
      }),
    )
    .default({}),
  dockerImages: z.record(z.string(), z.unknown()).default({}),
});

const resourceSchema = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
  /** Resources are named before any is made, so their order does not matter here. */
  DependsOn: z.unknown().optional(),
  DeletionPolicy: z.unknown().optional(),
  UpdateReplacePolicy: z.unknown().optional(),
  Metadata: z.unknown().optional(),
});

const outputSchema = z.strictObject({
  Value: z.unknown(),
  Description: z.string().optional(),
  Condition: z.string().optional(),
  Export: z.strictObject({ Name: z.unknown() }).optional(),
});

const parameterSchema = z.looseObject({ Type: z.string(), Default: z.unknown().optional() });

const templateSchema = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Resources: z.record(z.string(), resourceSchema).default({}),
  Outputs: z.record(z.string(), outputSchema).default({}),
  Parameters: z.record(z.string(), parameterSchema).default({}),
  Mappings: z
    .record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())))
    .default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  /** Only the CDK's own check of its bootstrap stack, which does not exist here. */
  Rules: z.strictObject({ CheckBootstrapVersion: z.unknown().optional() }).optional(),
});

type Template = z.infer<typeof templateSchema>;
export type TemplateResource = z.infer<typeof resourceSchema>;

/** One stack, as synthesized. */
export interface StackAssembly {
  readonly name: string;
  readonly template: Template;
  /** Folder of each zip asset, by the object key that the template's `Code.S3Key` names. */
  readonly assets: ReadonlyMap<string, string>;
}

/** A whole `cdk.out`. */
export interface Assembly {
  readonly dir: string;
  readonly environment: Environment;
  /** Each stack stands after those that it depends on. */
  readonly stacks: readonly StackAssembly[];
}

/** Artifacts that say nothing about what is deployed. */
const ignoredArtifacts = new Set(['cdk:tree', 'cdk:asset-manifest', 'cdk:feature-flag-report']);

/** Reads the assembly in `dir`. */
export function readAssembly(dir: string): Assembly {
  const root = resolve(dir);
  const manifest = readJson(root, 'manifest.json', manifestSchema);
  const stackIds = Object.keys(manifest.artifacts).filter((id) =>
    isStack(id, manifest.artifacts[id]),
  );
  if (stackIds.length === 0) {
    throw new AssemblyError(`"${dir}" holds no stack. Give the folder that \`cdk synth\` wrote.`);
  }
  const ordered = inDependencyOrder(manifest.artifacts, stackIds);
  return {
    dir: root,
    environment: oneEnvironment(ordered.map((id) => manifest.artifacts[id])),
    stacks: ordered.map((id) => readStack(root, id, manifest.artifacts)),
  };
}

function isStack(id: string, artifact: Artifact | undefined): boolean {
  if (artifact?.type === 'aws:cloudformation:stack') return true;
  if (artifact === undefined || ignoredArtifacts.has(artifact.type)) return false;
  throw new UnsupportedTemplateError({
    stack: id,
    logicalId: 'manifest.json',
    met: `an artifact of type "${artifact.type}"`,
    allowed: 'stacks directly in the app (no stages), file assets',
  });
}

function inDependencyOrder(
  artifacts: Readonly<Record<string, Artifact>>,
  stackIds: readonly string[],
): readonly string[] {
  const wanted = new Set(stackIds);
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const dependency of artifacts[id]?.dependencies ?? []) visit(dependency);
    if (wanted.has(id)) ordered.push(id);
  };
  for (const id of stackIds) visit(id);
  return ordered;
}

function readStack(
  root: string,
  id: string,
  artifacts: Readonly<Record<string, Artifact>>,
): StackAssembly {
  const artifact = artifacts[id];
  const templateFile = artifact?.properties?.templateFile;
  if (templateFile === undefined) {
    throw new AssemblyError(`Stack "${id}" names no template in manifest.json. Synthesize again.`);
  }
  const name = artifact?.properties?.stackName ?? id;
  const template = templateSchema.safeParse(readJson(root, templateFile, z.unknown()));
  if (!template.success) {
    throw new UnsupportedTemplateError({
      stack: name,
      logicalId: template.error.issues[0]?.path.slice(0, 2).join('.') || templateFile,
      met: template.error.issues.map((issue) => issue.message).join('; '),
      allowed:
        'Resources, Outputs, Parameters, Mappings, Conditions; a resource with Type, Properties, Condition, DependsOn, policies and Metadata',
    });
  }
  const assetFiles = (artifact?.dependencies ?? [])
    .map((dependency) => artifacts[dependency])
    .filter((dependency) => dependency?.type === 'cdk:asset-manifest')
    .flatMap((dependency) => dependency?.properties?.file ?? []);
  return { name, template: template.data, assets: readAssets(root, name, assetFiles) };
}

function readAssets(
  root: string,
  stack: string,
  files: readonly string[],
): ReadonlyMap<string, string> {
  const assets = new Map<string, string>();
  for (const file of files) {
    const manifest = readJson(root, file, assetManifestSchema);
    const images = Object.keys(manifest.dockerImages);
    if (images.length > 0) {
      throw new UnsupportedTemplateError({
        stack,
        logicalId: file,
        met: `${images.length} container image asset(s)`,
        allowed: 'file assets',
      });
    }
    for (const { source, destinations } of Object.values(manifest.files)) {
      if (source.packaging !== 'zip' || source.path === undefined) continue;
      const folder = join(root, source.path);
      if (!existsSync(folder)) {
        throw new AssemblyError(
          `the asset ${source.path} of ${stack} is missing in the assembly; make it again with: npx cdk synth`,
        );
      }
      for (const { objectKey } of Object.values(destinations)) assets.set(objectKey, folder);
    }
  }
  return assets;
}

/** All stacks must be in one place: there is one account and one Region on this machine. */
function oneEnvironment(artifacts: readonly (Artifact | undefined)[]): Environment {
  const accounts = new Set<string>();
  const regions = new Set<string>();
  for (const artifact of artifacts) {
    const [, account, region] =
      /^aws:\/\/([^/]+)\/([^/]+)$/.exec(artifact?.environment ?? '') ?? [];
    if (account !== undefined && account !== 'unknown-account') accounts.add(account);
    if (region !== undefined && region !== 'unknown-region') regions.add(region);
  }
  if (accounts.size > 1 || regions.size > 1) {
    throw new UnsupportedTemplateError({
      stack: 'manifest.json',
      logicalId: 'environment',
      met: `stacks in several places (${[...accounts, ...regions].join(', ')})`,
      allowed: 'one account and one Region for all stacks',
    });
  }
  const [accountId = localAccountId] = accounts;
  const [region = localRegion] = regions;
  return { accountId, region };
}

function readJson<Schema extends z.ZodType>(
  root: string,
  file: string,
  schema: Schema,
): z.infer<Schema> {
  const path = join(root, file);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new AssemblyError(
      `"${path}" does not exist. Give the folder that \`cdk synth\` wrote (cdk.out), or synthesize first.`,
    );
  }
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new AssemblyError(`"${path}" is not what the CDK writes: ${z.prettifyError(parsed.error)}`);
}
