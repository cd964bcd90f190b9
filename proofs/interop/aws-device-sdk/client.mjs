/**
 * A device that is the AWS IoT Device SDK v2 for JavaScript, in a process of its own: the SDK's
 * event loops are native threads, which may outlive its last promise.
 *
 * The one argument is JSON: `mqtt` (`3.1.1` or `5`), `host`, `port`, `device`, paths of `cert`,
 * `key`, `ca`, and of `input`, a JSON list of messages. Prints a line `receipts …` for each
 * publication of receipts and `puback …` for each refusal. With `once` it publishes each message
 * once and prints what becomes of it instead.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { iot, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';
import { createSender, TIMEOUT_MILLIS } from '../clients/unreceipted.ts';

const options = JSON.parse(process.argv[2]);
const messages = JSON.parse(readFileSync(options.input, 'utf8'));
const receiptsTopic = `tollbridge/${options.device}/receipts`;

const print = (...words) => process.stdout.write(`${words.join(' ')}\n`);

/** The client of MQTT 3.1.1: whatever is not acknowledged goes out again on the next connection. */
async function connectThree(take) {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(
    options.cert,
    options.key,
  )
    .with_certificate_authority_from_path(undefined, options.ca)
    .with_endpoint(options.host)
    .with_port(options.port)
    .with_client_id(options.device)
    // With a clean session it gives up what was in flight, and its promise rejects.
    .with_clean_session(false)
    .with_reconnect_min_sec(1)
    .with_reconnect_max_sec(1)
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  const decoder = new TextDecoder();
  connection.on('message', (_topic, payload) => take(decoder.decode(payload)));
  // Without a listener an error of the network would end the process.
  connection.on('error', () => undefined);
  const subscribe = () => connection.subscribe(receiptsTopic, mqtt.QoS.AtLeastOnce);
  // A broker that has lost the session has lost the subscription too.
  connection.on('resume', () => void subscribe().catch(() => undefined));
  await connection.connect();
  await subscribe();
  return {
    publish: ({ topic, body }) => connection.publish(topic, body, mqtt.QoS.AtLeastOnce),
    end: () => connection.disconnect(),
  };
}

async function connectFive(take) {
  const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(
    options.host,
    options.cert,
    options.key,
  )
    .withCertificateAuthorityFromPath(undefined, options.ca)
    .withPort(options.port)
    .withConnectProperties({
      clientId: options.device,
      keepAliveIntervalSeconds: 60,
      sessionExpiryIntervalSeconds: 3_600,
    })
    .withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinPostSuccess)
    .withMinReconnectDelayMs(50)
    .withMaxReconnectDelayMs(200)
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  const decoder = new TextDecoder();
  client.on('messageReceived', ({ message }) => take(decoder.decode(message.payload)));
  client.on('error', () => undefined);
  const subscribe = () =>
    client.subscribe({
      subscriptions: [{ topicFilter: receiptsTopic, qos: mqtt5.QoS.AtLeastOnce }],
    });
  const connected = once(client, 'connectionSuccess');
  client.start();
  await connected;
  client.on('connectionSuccess', () => void subscribe().catch(() => undefined));
  await subscribe();
  return {
    publish: ({ topic, body }) =>
      client.publish({ topicName: topic, payload: body, qos: mqtt5.QoS.AtLeastOnce }),
    async end() {
      const stopped = once(client, 'stopped');
      client.stop();
      await stopped;
      client.close();
    },
  };
}

const connect = options.mqtt === '5' ? connectFive : connectThree;
if (options.once) {
  const client = await connect(() => undefined);
  for (const message of messages) print('puback', JSON.stringify(await client.publish(message)));
  await client.end();
} else {
  let sender;
  const client = await connect((payload) => {
    print('receipts', payload);
    sender.take(payload);
  });
  // It keeps what is published while it waits, a second at least, before it connects again.
  const timeoutMillis = 2 * TIMEOUT_MILLIS;
  const publish = (message) =>
    client.publish(message).catch((error) => print('failed', String(error)));
  sender = createSender(messages, publish, timeoutMillis);
  sender.start();
  await sender.done;
  await client.end();
}
process.exit(0);
