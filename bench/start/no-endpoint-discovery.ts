/** In the place of DynamoDB's endpoint discovery, which is off, to measure what it costs. Not deployed. */
export const resolveEndpointDiscoveryConfig = <Config>(config: Config): Config => config;
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => false,
  configFileSelector: () => false,
  default: undefined,
};
