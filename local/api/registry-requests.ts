/**
 * The registry of AWS IoT's control plane, as far as `tollbridge device` uses it: the same calls of
 * the same SDK client work on AWS and here.
 */
import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';
import type { CertificateAuthority } from '../certificates/authority.ts';
import { CertificateError } from '../certificates/keys.ts';
import type { DeviceRegistry, RegisteredCertificate, Thing } from '../certificates/registry.ts';
import { THING_NAME } from '../iot/connection-rules.ts';
import { type ApiAnswer, dataPlaneError, found, sentence } from './answers.ts';
import { type ApiCaller, denialOf } from './caller.ts';

/** What stands behind the calls. */
export interface DeviceAccess {
  readonly registry: DeviceRegistry;
  readonly authority: CertificateAuthority;
  /** Where devices connect: `localhost:PORT`; AWS leaves out the port, which is always 8883. */
  readonly endpointAddress: string;
}

export interface RegistryRequestOptions {
  readonly region: string;
  readonly accountId: string;
  /** Undefined when this run has no listener with TLS, or has it not yet. */
  readonly deviceAccess?: () => DeviceAccess | undefined;
}

export interface RegistryRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Where the certificate of the local authority is given to whoever asks; on AWS it is public. */
export const authorityPath = '/tollbridge/local-ca.pem';

const WITHOUT_TLS =
  'This local cloud has no MQTT with TLS, so it registers no devices. Start it with --mqtts-port, and without --broker.';

export function isRegistryPath(url: string): boolean {
  return /^\/(things|certificates|target-policies|endpoint)(?=[/?]|$)/.test(url);
}

export function answerAuthority({ deviceAccess }: RegistryRequestOptions): ApiAnswer {
  const access = deviceAccess?.();
  if (access === undefined) return sentence(404, WITHOUT_TLS);
  return {
    status: 200,
    headers: { 'content-type': 'application/x-pem-file' },
    body: Buffer.from(access.authority.certificate),
  };
}

export async function handleRegistry(
  options: RegistryRequestOptions,
  caller: ApiCaller,
  request: RegistryRequest,
): Promise<ApiAnswer> {
  const access = options.deviceAccess?.();
  try {
    if (access === undefined) throw invalid(WITHOUT_TLS);
    return found(await run({ ...options, access, caller, request }));
  } catch (cause) {
    if (cause instanceof Fault) return dataPlaneError(cause.status, cause.type, cause.message);
    if (cause instanceof CertificateError) {
      return dataPlaneError(400, 'InvalidRequestException', cause.message);
    }
    throw cause;
  }
}

class Fault extends Error {
  readonly status: number;
  readonly type: string;
  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const invalid = (message: string) => new Fault(400, 'InvalidRequestException', message);
const missing = (what: string) =>
  new Fault(404, 'ResourceNotFoundException', `${what} is not in the registry.`);

interface Call {
  readonly region: string;
  readonly accountId: string;
  readonly access: DeviceAccess;
  readonly caller: ApiCaller;
  readonly request: RegistryRequest;
  /** What the path names, decoded: `''` when nothing. */
  readonly name: string;
  readonly query: URLSearchParams;
}

interface Operation {
  readonly action: string;
  readonly run: (call: Call) => object | Promise<object>;
}

/** By method and path; `*` stands for one name. */
const operations: Readonly<Record<string, Operation>> = {
  'POST /things/*': { action: 'CreateThing', run: createThing },
  'GET /things/*': { action: 'DescribeThing', run: (call) => thingAnswer(call, theThing(call)) },
  'GET /things/*/principals': { action: 'ListThingPrincipals', run: listPrincipals },
  'PUT /things/*/principals': { action: 'AttachThingPrincipal', run: attachThing },
  'DELETE /things/*/principals': { action: 'DetachThingPrincipal', run: detachThing },
  'POST /certificates': { action: 'CreateCertificateFromCsr', run: createCertificate },
  'GET /certificates/*': { action: 'DescribeCertificate', run: describeCertificate },
  'PUT /certificates/*': { action: 'UpdateCertificate', run: updateCertificate },
  'DELETE /certificates/*': { action: 'DeleteCertificate', run: deleteCertificate },
  'PUT /target-policies/*': { action: 'AttachPolicy', run: attachPolicy },
  'GET /endpoint': { action: 'DescribeEndpoint', run: describeEndpoint },
};

async function run(context: Omit<Call, 'name' | 'query'>): Promise<object> {
  const { method, url } = context.request;
  const [path = '', query = ''] = url.split('?', 2);
  const [, kind = '', name = '', ...rest] = path.split('/');
  const shape = [`${method} /${kind}`, ...(name === '' ? [] : ['*']), ...rest].join('/');
  const operation = Object.hasOwn(operations, shape) ? operations[shape] : undefined;
  if (operation === undefined) {
    const known = Object.values(operations).map((one) => one.action);
    throw invalid(
      `The local registry does not know ${method} ${path}; it knows ${known.join(', ')}.`,
    );
  }
  const { caller, accountId } = context;
  const wanted = { action: `iot:${operation.action}`, resource: '*' };
  const denial = denialOf(caller, accountId, [wanted]);
  if (denial !== undefined) throw new Fault(403, 'UnauthorizedException', denial);
  return operation.run({ ...context, name: decoded(name), query: new URLSearchParams(query) });
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw invalid('The path is not percent-encoded UTF-8.');
  }
}

function bodyOf<Body>(schema: z.ZodType<Body>, { request }: Call): Body {
  try {
    const text = request.body.toString('utf8');
    return schema.parse(text === '' ? {} : JSON.parse(text));
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw invalid(`The request's body is not as it must be: ${detail}`);
  }
}

function createThing(call: Call): object {
  // A type or attributes would be lost here without a word.
  bodyOf(z.strictObject({}), call);
  if (!THING_NAME.test(call.name)) {
    throw invalid(`The name of a thing must match ${THING_NAME.source}.`);
  }
  return thingAnswer(call, call.access.registry.createThing(call.name));
}

function thingAnswer({ region, accountId }: Call, { name, id }: Thing): object {
  const thingArn = `arn:aws:iot:${region}:${accountId}:thing/${name}`;
  return { thingName: name, thingArn, thingId: id };
}

function theThing({ access, name }: Call): Thing {
  const thing = access.registry.thing(name);
  if (thing === undefined) throw missing(`The thing ${JSON.stringify(name)}`);
  return thing;
}

function listPrincipals(call: Call): object {
  const ids = call.access.registry.certificatesOf(theThing(call).name);
  return { principals: ids.map((id) => certificateArn(call, id)) };
}

function attachThing(call: Call): object {
  const { name } = theThing(call);
  call.access.registry.attach(certificateIn(call, principalHeader(call)), 'things', name);
  return {};
}

function detachThing(call: Call): object {
  const { name } = theThing(call);
  call.access.registry.detach(certificateIn(call, principalHeader(call)), 'things', name);
  return {};
}

function attachPolicy(call: Call): object {
  const { target } = bodyOf(z.object({ target: z.string() }), call);
  const { registry } = call.access;
  if (!registry.hasPolicy(call.name)) throw missing(`The policy ${JSON.stringify(call.name)}`);
  registry.attach(certificateIn(call, target), 'policies', call.name);
  return {};
}

async function createCertificate(call: Call): Promise<object> {
  const schema = z.object({ certificateSigningRequest: z.string() });
  const pem = await call.access.authority.sign(bodyOf(schema, call).certificateSigningRequest);
  const isActive = call.query.get('setAsActive') === 'true';
  const { id } = call.access.registry.register(pem, isActive ? 'ACTIVE' : 'INACTIVE');
  return { certificateArn: certificateArn(call, id), certificateId: id, certificatePem: pem };
}

function describeCertificate(call: Call): object {
  const { id, pem, status, createdAtMillis } = theCertificate(call, call.name);
  return {
    certificateDescription: {
      certificateArn: certificateArn(call, id),
      certificateId: id,
      certificatePem: pem,
      status,
      creationDate: createdAtMillis / 1_000,
    },
  };
}

function updateCertificate(call: Call): object {
  const status = z.enum(['ACTIVE', 'INACTIVE', 'REVOKED']).safeParse(call.query.get('newStatus'));
  if (!status.success) throw invalid('newStatus must be ACTIVE, INACTIVE or REVOKED.');
  call.access.registry.setStatus(theCertificate(call, call.name).id, status.data);
  return {};
}

function deleteCertificate(call: Call): object {
  const { id, status, things, policies } = theCertificate(call, call.name);
  if (status === 'ACTIVE') {
    throw new Fault(406, 'CertificateStateException', 'The certificate is ACTIVE.');
  }
  if (things.length + policies.length > 0 && call.query.get('forceDelete') !== 'true') {
    throw new Fault(409, 'DeleteConflictException', 'The certificate is attached to something.');
  }
  call.access.registry.remove(id);
  return {};
}

function describeEndpoint({ access, query }: Call): object {
  const type = query.get('endpointType');
  if (type === 'iot:Data-ATS') return { endpointAddress: access.endpointAddress };
  throw invalid(`The endpoint type is ${JSON.stringify(type)}; here is iot:Data-ATS only.`);
}

function theCertificate({ access }: Call, id: string): RegisteredCertificate {
  const certificate = access.registry.certificate(id);
  if (certificate === undefined) throw missing(`The certificate ${JSON.stringify(id)}`);
  return certificate;
}

function certificateArn({ region, accountId }: Call, id: string): string {
  return `arn:aws:iot:${region}:${accountId}:cert/${id}`;
}

/** The id of the registered certificate that an ARN names. */
function certificateIn(call: Call, arn: string): string {
  const id = arn.slice(arn.lastIndexOf('/') + 1);
  if (arn !== certificateArn(call, id)) throw invalid(`${JSON.stringify(arn)} is no certificate.`);
  return theCertificate(call, id).id;
}

function principalHeader({ request }: Call): string {
  return String(request.headers['x-amzn-principal'] ?? '');
}
