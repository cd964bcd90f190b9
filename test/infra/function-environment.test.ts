import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Config, Route } from '../../core/config/route.ts';
import config from '../../tollbridge.config.ts';
import {
  handlersOf,
  otherConfig,
  type Properties,
  type Templates,
  templatesOf,
  threeConfig,
} from './templates.ts';

/** AWS Lambda, "Lambda quotas": environment variables, all of a function together. */
const VARIABLES_BYTES_MAX = 4_096;

const TABLES: Readonly<Record<Route['guarantee'], string>> = {
  'exactly-once': 'Ledger',
  deduplicated: 'DedupRecords',
  latest: 'State',
};

describe.each([
  { name: 'tollbridge', written: config as Config },
  { name: 'water', written: otherConfig },
  { name: 'fleet', written: threeConfig },
])('the functions of $name', ({ name, written }) => {
  const { routes } = checkConfig(written);
  const variables = handlersOf(templatesOf(written).ingestTemplate).map(
    ({ properties }) => (properties.Environment as Properties).Variables as Properties,
  );

  it('receive their route, the table of its guarantee, the quarantine and the data plane', () => {
    expect(variables.map(({ ROUTE }) => JSON.parse(String(ROUTE)))).toEqual(routes);
    expect(variables).toEqual(
      routes.map(({ guarantee }) => ({
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_LOG_LEVEL: 'INFO',
        ROUTE: expect.any(String),
        MESSAGES_TABLE: expect.stringMatching(importOf(TABLES[guarantee])),
        QUARANTINE_TABLE: expect.stringMatching(importOf('Quarantine')),
        AWS_ENDPOINT_URL_IOT_DATA_PLANE: expect.stringMatching(
          /^https:\/\/<DataEndpoint\w+\.endpointAddress>$/,
        ),
      })),
    );
  });
});

describe('a route that does not fit the variables of its function', () => {
  const withReason = (chars: number) => {
    const { charges } = config.routes;
    if (charges === undefined) throw new Error('the default configuration has no route charges');
    const trustTopicLevel = `the gateway ${'x'.repeat(chars)} publishes`;
    return templatesOf({ routes: { charges: { ...charges, trustTopicLevel } } });
  };

  it('is refused when the app is built', () => {
    expect(() => withReason(3_000)).toThrow(
      /routes\.charges takes 3\d{3} bytes .* each quote being escaped; fewer than 3072 are allowed/,
    );
  });

  it('is refused at the first byte too many, by the measure of AWS: JSON inside JSON', () => {
    const room = 3_071 - measureOf(variablesOf(withReason(0)).ROUTE);
    const fullest = variablesOf(withReason(room));
    expect(measureOf(fullest.ROUTE)).toBe(3_071);
    expect(() => withReason(room + 1)).toThrow('takes 3072 bytes');
    // Together, what stands for names in the template is no shorter than the names it becomes.
    expect(measureOf(fullest)).toBeLessThan(VARIABLES_BYTES_MAX);
  });
});

function measureOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function variablesOf({ ingestTemplate }: Templates): Properties {
  const [handler] = handlersOf(ingestTemplate);
  if (handler === undefined) throw new Error('the bridge has no function');
  return (handler.properties.Environment as Properties).Variables as Properties;
}

/** The name of a table of the state stack, as another stack imports it. */
function importOf(table: string): RegExp {
  return new RegExp(`^<import \\w+-State:ExportsOutputRef${table}[0-9A-F]{8}\\w+>$`);
}
