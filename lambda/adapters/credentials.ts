/**
 * Stands for `@aws-sdk/credential-provider-node` in the bundles (docs/adr/009). Lambda gives a
 * function its role's credentials in the environment, the first place where the SDK's own chain
 * looks; the rest of the chain (profiles, SSO, web identity, EC2) is a quarter of the code to load.
 *
 * Source: AWS Lambda developer guide, "Defined runtime environment variables".
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
