/**
 * Goal: `tollbridge device` does the same at a local cloud and on AWS, and the local registry
 * answers as AWS IoT would. Method: the command as a process, and requests by hand. For AWS the
 * same local cloud answers, at the address that the SDK is told is AWS's.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setStatus } from '../../../cli/device/status.ts';
import type { DeviceTarget } from '../../../cli/device/target.ts';
import { systemClock } from '../../../core/base/time.ts';
import { handleRegistry } from '../../../local/api/registry-requests.ts';
import { openDeviceRegistry } from '../../../local/certificates/registry.ts';
import { closeServer, listenOn } from '../../../local/listen.ts';
import { startTestCloud } from '../../../tools/clouds/cloud.ts';
import {
  addTo,
  type DeviceBench,
  newFolder,
  startDeviceBench,
  targetAt,
} from '../../../tools/clouds/device-ground.ts';
import { newAuthority } from '../../../tools/mqtt/tls-ground.ts';

const run = promisify(execFile);

let bench: DeviceBench;
let target: DeviceTarget;
let folder: string;

beforeAll(async () => {
  bench = await startDeviceBench();
});
beforeEach(async () => {
  target = await targetAt(bench.bridge.cloud.apiUrl);
  folder = join(newFolder(), 'devices');
});
afterAll(() => bench.close());

describe('the local registry', () => {
  const registry = openDeviceRegistry({ file: undefined, policies: [], clock: systemClock });

  it('refuses a function the calls that its role does not allow, and a key of another run', async () => {
    const access = { registry, authority: await newAuthority(), endpointAddress: 'localhost:1' };
    const options = { region: 'r', accountId: 'a', deviceAccess: () => access };
    const caller = {
      kind: 'function',
      accessKeyId: 'k',
      functionName: 'f',
      roleName: 'role',
      documents: [{ Statement: [{ Effect: 'Allow', Action: 'iot:Publish', Resource: '*' }] }],
    } as const;
    const request = { method: 'POST', url: '/things/x', headers: {}, body: Buffer.alloc(0) };
    const answer = await handleRegistry(options, caller, request);
    expect([answer.status, answer.body.toString()]).toEqual([
      403,
      expect.stringContaining('not authorized to perform: iot:CreateThing'),
    ]);
    expect(registry.thing('x')).toBeUndefined();
    const stranger = await fetch(`${bench.bridge.cloud.apiUrl}/things/x`, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=LOCAL000000000000009/2026' },
    });
    expect(stranger.status).toBe(403);
  });

  it.each([
    ['POST', '/things/a%2Fb', '', 400, /thing must match/],
    ['POST', '/things/%zz', '', 400, /percent-encoded/],
    ['POST', '/things/x', '{"thingTypeName":"t"}', 400, /thingTypeName/],
    ['POST', '/certificates', '{', 400, /body is not as it must be/],
    ['POST', '/certificates', '{"certificateSigningRequest":"x"}', 400, /signing request/],
    ['PUT', '/certificates/x?newStatus=ACTIVE', '', 404, /not in the registry/],
    ['PUT', '/target-policies/none', '{"target":"x"}', 404, /"none\\*" is not in the registry/],
    ['GET', '/endpoint?endpointType=iot:Jobs', '', 400, /iot:Data-ATS only/],
    ['PATCH', '/things/x', '', 400, /does not know PATCH/],
    ['GET', '/things/__proto__', '', 404, /not in the registry/],
  ])('answers %s %s %s with %i', async (method, path, body, status, text) => {
    const answer = await fetch(bench.bridge.cloud.apiUrl + path, {
      method,
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=operator/2026' },
      ...(body !== '' && { body }),
    });
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(text)]);
  });

  it('says so when the local cloud has no TLS, or is not there', async () => {
    const plain = await startTestCloud(bench.assemblyDir);
    try {
      await expect(targetAt(plain.cloud.apiUrl)).rejects.toThrow(/no MQTT with TLS.*--mqtts-port/);
    } finally {
      await plain.cloud.close();
    }
    await expect(targetAt(plain.cloud.apiUrl)).rejects.toThrow(/no local cloud answers.*npm start/);
  });
});

describe('the command', () => {
  const tollbridge = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run(process.execPath, ['--import', 'tsx', 'bin/tollbridge.ts', 'device', ...args], {
      env: { ...process.env, ...env },
    });

  it('prints the settings of connect, as text and as JSON', async () => {
    const local = ['--local', bench.bridge.cloud.apiUrl, '--out', folder];
    const text = await tollbridge(['add', 'meter-70', ...local]);
    const { port } = new URL((await addTo(target, folder, 'meter-70')).url);
    expect(text.stdout).toContain(`url: 'mqtts://localhost:${port}'`);
    expect(text.stdout).toContain(`cert: '${folder}/meter-70.cert.pem'`);
    const { stdout } = await tollbridge(['add', 'meter-70', ...local, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      deviceId: 'meter-70',
      url: `mqtts://localhost:${port}`,
    });
    const off = await tollbridge(['disable', 'meter-70', '--local', bench.bridge.cloud.apiUrl]);
    expect(off.stdout).toMatch(/^[0-9a-f]{64} {2}INACTIVE \(was ACTIVE\)\n$/);
  });

  it('does the same on AWS, with the policies of the stack and the roots of Amazon', async () => {
    const aws = await startAws();
    try {
      const env = {
        AWS_ENDPOINT_URL: aws.url,
        AWS_ACCESS_KEY_ID: 'operator',
        AWS_SECRET_ACCESS_KEY: 'x',
      };
      const flags = ['--region', 'eu-central-1', '--stack', 'Tollbridge', '--out', folder];
      const { stdout } = await tollbridge(['add', 'meter-71', ...flags], env);
      expect(stdout).toContain('registered at Tollbridge on AWS in eu-central-1');
      expect(stdout).toContain("url: 'mqtts://prefix-ats.iot.eu-central-1.amazonaws.com:8883'");
      expect(aws.stacks.sort()).toEqual(['Tollbridge-Ingest', 'Tollbridge-State']);
      const roots = readFileSync(join(folder, 'meter-71.ca.pem'), 'utf8');
      expect(roots.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(4);
      const id = stdout.match(/id ([0-9a-f]{64})/)?.[1];
      const attached = await setStatus(target, {
        name: 'meter-71',
        status: 'ACTIVE',
        certificateId: id,
      });
      expect(attached).toMatchObject([{ before: 'ACTIVE' }]);
    } finally {
      await aws.close();
    }
  });

  it('refuses a name with status 2, and says what is allowed', async () => {
    const failed = tollbridge([
      'add',
      'a/b',
      '--local',
      bench.bridge.cloud.apiUrl,
      '--out',
      folder,
    ]);
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^tollbridge: the device's name is "a\/b" .*allowed are 1 to 128/,
      ),
    });
  });
});

/** AWS's one address for all services: the local cloud, but for the endpoint that devices get. */
async function startAws() {
  const stacks: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (request.url?.startsWith('/endpoint')) {
      response.end('{"endpointAddress":"prefix-ats.iot.eu-central-1.amazonaws.com"}');
      return;
    }
    const name = new URLSearchParams(body.toString()).get('StackName');
    if (name !== null) stacks.push(name);
    const answer = await fetch(bench.bridge.cloud.apiUrl + request.url, {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).flatMap(([header, value]) =>
        PASSED.includes(header) ? [[header, String(value)] as [string, string]] : [],
      ),
      ...(body.length > 0 && { body }),
    });
    for (const header of PASSED) {
      const value = answer.headers.get(header);
      if (value !== null) response.setHeader(header, value);
    }
    response.writeHead(answer.status);
    response.end(await answer.text());
  });
  const port = await listenOn(server, 0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    stacks,
    close: () => closeServer(server),
  };
}

const PASSED = [
  'authorization',
  'content-type',
  'x-amz-target',
  'x-amzn-principal',
  'x-amzn-errortype',
];
