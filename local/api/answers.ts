/** Answers of the local API, in the shapes that the SDK's clients read. */
import { randomUUID } from 'node:crypto';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What the server does with a request: answer it, or end the connection without a word. */
export type ApiResult = ApiAnswer | 'no-answer';

/** An error of DynamoDB: AWS JSON 1.0, the type in the body. */
export function dynamodbError(status: number, type: string, message: string): ApiAnswer {
  // Errors of DynamoDB's own model have another name space than those of the front end.
  const own = type === 'ProvisionedThroughputExceededException' || type === 'InternalServerError';
  const space = own ? 'com.amazonaws.dynamodb.v20120810' : 'com.amazon.coral.service';
  // The front end writes `Message`, the model `message`; the SDK reads both.
  const body = { __type: `${space}#${type}`, [own ? 'message' : 'Message']: message };
  return json(status, 'application/x-amz-json-1.0', { 'x-amzn-requestid': randomUUID() }, body);
}

/** An error of AWS IoT, data plane and control plane: REST, the type in a header. */
export function dataPlaneError(status: number, type: string, message: string): ApiAnswer {
  const traceId = randomUUID();
  return json(status, 'application/json', { 'x-amzn-errortype': type }, { message, traceId });
}

/** What a call to the IoT control plane gives. */
export function found(body: object): ApiAnswer {
  return json(200, 'application/json', {}, body);
}

export function published(): ApiAnswer {
  return json(200, 'application/json', {}, { message: 'OK', traceId: randomUUID() });
}

/** A sentence for whoever asks for something that is not here. */
export function sentence(status: number, text: string): ApiAnswer {
  const body = Buffer.from(`${text}\n`);
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function json(
  status: number,
  contentType: string,
  headers: Readonly<Record<string, string>>,
  body: object,
): ApiAnswer {
  return {
    status,
    headers: { ...headers, 'content-type': contentType },
    body: Buffer.from(JSON.stringify(body)),
  };
}
