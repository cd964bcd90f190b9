/**
 * Resolves every resource and output of an assembly to plain values and checks them against the
 * strict schemas. The result has no intrinsic in it.
 */
import * as z from 'zod';
import { partition, urlSuffix } from './account.ts';
import { UnsupportedTemplateError } from './errors.ts';
import { createResolver, type Resolver } from './intrinsics.ts';
import { attributesOf, generatedName, nameProperties, referenceOf } from './naming.ts';
import type { Assembly, StackAssembly, TemplateResource } from './read-assembly.ts';
import { isResourceType, type PropertiesOf, type ResourceType, resourceTypes } from './schema.ts';

/** A resource as it is to be made. */
export interface Resolved<Type extends ResourceType = ResourceType> {
  readonly stack: StackAssembly;
  readonly logicalId: string;
  readonly type: Type;
  readonly physicalName: string;
  readonly properties: PropertiesOf<Type>;
}

export interface ResolvedAssembly {
  readonly resources: readonly Resolved[];
  /** Output values, by stack and name. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Facts about this run that templates ask for. */
export interface ResolveOptions {
  /** `host:port` that stands for the IoT data endpoint. */
  readonly endpointAddress: string;
}

/** Resolves all stacks, in order; exports of a stack are known to those after it. */
export function resolveAssembly(assembly: Assembly, options: ResolveOptions): ResolvedAssembly {
  const exports = new Map<string, unknown>();
  const resources: Resolved[] = [];
  const outputs: Record<string, Record<string, string>> = {};
  for (const stack of assembly.stacks) {
    const names = createNames(assembly, stack, { exports, outputs }, options);
    for (const [logicalId, resource] of Object.entries(stack.template.Resources)) {
      if (!isWanted(names.resolver, resource.Condition, logicalId)) continue;
      const type = supportedType(stack, logicalId, resource);
      if (type === 'AWS::CDK::Metadata') continue;
      resources.push({
        stack,
        logicalId,
        type,
        physicalName: names.physicalName(logicalId, logicalId),
        properties: checked(
          stack,
          logicalId,
          type,
          names.resolver.resolve(resource.Properties, logicalId),
        ),
      });
    }
    outputs[stack.name] = resolveOutputs(stack, names.resolver, exports);
  }
  return { resources, outputs };
}

/** The resources of one type. */
export function ofType<Type extends ResourceType>(
  resolved: ResolvedAssembly,
  type: Type,
): readonly Resolved<Type>[] {
  return resolved.resources.filter(
    (resource): resource is Resolved<Type> => resource.type === type,
  );
}

interface Names {
  readonly resolver: Resolver;
  physicalName(logicalId: string, where: string): string;
}

/** Names refer to each other only through explicit names, so they are resolved on demand. */
function createNames(
  assembly: Assembly,
  stack: StackAssembly,
  earlier: Pick<ResolvedAssembly, 'outputs'> & { readonly exports: ReadonlyMap<string, unknown> },
  options: ResolveOptions,
): Names {
  const { environment } = assembly;
  const underWay = new Set<string>();
  const typeOf = (logicalId: string, where: string): ResourceType => {
    const resource = stack.template.Resources[logicalId];
    if (resource !== undefined) return supportedType(stack, logicalId, resource);
    throw refusal(stack, where, `a reference to "${logicalId}"`, 'resources of the same stack');
  };
  const property = (
    logicalId: string,
    name: string | undefined,
    where: string,
  ): string | undefined => {
    const value =
      name === undefined ? undefined : stack.template.Resources[logicalId]?.Properties[name];
    if (value === undefined) return undefined;
    if (underWay.has(logicalId)) {
      throw refusal(
        stack,
        where,
        `names that refer to each other in a circle`,
        'names without a circle',
      );
    }
    underWay.add(logicalId);
    const resolved = resolver.resolve(value, logicalId);
    underWay.delete(logicalId);
    return typeof resolved === 'string' ? resolved : undefined;
  };
  const physicalName = (logicalId: string, where: string): string => {
    const type = typeOf(logicalId, where);
    return (
      property(logicalId, nameProperties[type], where) ?? generatedName(type, stack.name, logicalId)
    );
  };
  const resolver = createResolver({
    stack,
    imports: earlier.exports,
    outputs: earlier.outputs,
    pseudo: {
      'AWS::Region': environment.region,
      'AWS::AccountId': environment.accountId,
      'AWS::Partition': partition,
      'AWS::URLSuffix': urlSuffix,
      'AWS::StackName': stack.name,
      'AWS::StackId': `arn:${partition}:cloudformation:${environment.region}:${environment.accountId}:stack/${stack.name}/local`,
    },
    reference: (logicalId, where) =>
      referenceOf(environment, typeOf(logicalId, where), physicalName(logicalId, where)),
    attribute: (logicalId, attribute, where) => {
      const type = typeOf(logicalId, where);
      const path = (type === 'AWS::IAM::Role' && property(logicalId, 'Path', where)) || '/';
      const attributes =
        type === 'Custom::AWS'
          ? { endpointAddress: options.endpointAddress }
          : attributesOf(environment, type, physicalName(logicalId, where), path);
      const value = Object.entries(attributes).find(([name]) => name === attribute)?.[1];
      if (value !== undefined) return value;
      const allowed = Object.keys(attributes).join(', ') || 'no attribute of this type';
      throw refusal(stack, where, `Fn::GetAtt of ${logicalId}.${attribute} (${type})`, allowed);
    },
  });
  return { resolver, physicalName };
}

function resolveOutputs(
  stack: StackAssembly,
  resolver: Resolver,
  exports: Map<string, unknown>,
): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(stack.template.Outputs)) {
    if (!isWanted(resolver, output.Condition, name)) continue;
    const value = resolver.resolve(output.Value, `Outputs.${name}`);
    outputs[name] = String(value);
    if (output.Export === undefined) continue;
    exports.set(String(resolver.resolve(output.Export.Name, `Outputs.${name}`)), value);
  }
  return outputs;
}

function isWanted(resolver: Resolver, condition: string | undefined, where: string): boolean {
  return condition === undefined || resolver.condition(condition, where);
}

function supportedType(
  stack: StackAssembly,
  logicalId: string,
  resource: TemplateResource,
): ResourceType {
  if (isResourceType(resource.Type)) return resource.Type;
  const allowed = Object.keys(resourceTypes).join(', ');
  throw refusal(stack, logicalId, `a resource of type ${resource.Type}`, allowed);
}

function checked(
  stack: StackAssembly,
  logicalId: string,
  type: ResourceType,
  properties: unknown,
): PropertiesOf<ResourceType> {
  const schema = resourceTypes[type];
  const parsed = schema.safeParse(properties);
  if (parsed.success) return parsed.data;
  const met = `${type} with ${parsed.error.issues.map(describe).join('; ')}`;
  const known =
    'shape' in schema ? Object.keys(schema.shape).join(', ') : 'see local/assembly/schema.ts';
  throw refusal(
    stack,
    logicalId,
    met,
    `the properties ${known}, with values as in local/assembly/schema.ts`,
  );
}

function describe(issue: z.core.$ZodIssue): string {
  const at = z.core.toDotPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (at === '' ? key : `${at}.${key}`)).join(', ');
    return `the property ${keys}, which would be ignored in silence`;
  }
  return `${at === '' ? 'its properties' : at}: ${issue.message}`;
}

export function refusal(
  stack: StackAssembly,
  logicalId: string,
  met: string,
  allowed: string,
): UnsupportedTemplateError {
  return new UnsupportedTemplateError({ stack: stack.name, logicalId, met, allowed });
}
