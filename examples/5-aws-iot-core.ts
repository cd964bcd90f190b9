/**
 * The settings for AWS IoT Core. `npm run -s tollbridge -- device add NAME` makes the thing, its key
 * and its certificate, and prints where the files are; `device-profile NAME` prints the topics.
 *
 *     AWS_IOT_ENDPOINT=xxxxxxxx-ats.iot.eu-central-1.amazonaws.com \
 *     DEVICE=meter-17 DEVICE_CA=root.pem DEVICE_CERT=cert.pem DEVICE_KEY=key.pem \
 *     node --import tsx examples/5-aws-iot-core.ts
 *
 * AWS_IOT_PORT is 8883 unless said. On 443, where a firewall lets nothing else out, the client has
 * to say by ALPN that it means MQTT. An endpoint such as localhost works as well.
 */
import { connect } from '../device/index.ts';

function setting(name: string, usual?: string): string {
  const value = process.env[name] ?? usual;
  if (value !== undefined && value !== '') return value;
  throw new Error(`set ${name}; the head of this file shows all settings`);
}

const endpoint = setting('AWS_IOT_ENDPOINT');
const port = setting('AWS_IOT_PORT', '8883');
const name = setting('DEVICE');

const device = await connect({
  url: `mqtts://${endpoint}:${port}`,
  // The client id. The device policy allows the name of the thing and no other.
  deviceId: name,
  outbox: setting('TOLLBRIDGE_OUTBOX', `.tollbridge/examples/${name}`),
  routes: {
    // Through Basic Ingest: the rule's name before the topic, and no charge for the message.
    charges: { topic: `$aws/rules/tollbridge_charges/billing/${name}/charges`, idField: 'id' },
  },
  tls: {
    ca: setting('DEVICE_CA'),
    cert: setting('DEVICE_CERT'),
    key: setting('DEVICE_KEY'),
    ...(port === '443' ? { alpn: ['x-amzn-mqtt-ca'] } : {}),
  },
  // A wrong certificate is to be seen at once; without a network it goes on offline.
  waitMillis: 10_000,
  on: { disconnected: ({ reason }) => process.stderr.write(`${reason}\n`) },
});

const receipt = await device.publish('charges', {
  account: 'acme',
  kWh: '1.25',
  at: new Date().toISOString(),
});
process.stdout.write(`${JSON.stringify(receipt)}\n`);
await device.close();
