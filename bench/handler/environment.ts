/** What the template sets in the function's environment, as far as the handler reads it. */
export const FUNCTION_ENVIRONMENT = {
  POWERTOOLS_SERVICE_NAME: 'tollbridge',
  POWERTOOLS_LOG_LEVEL: 'INFO',
};
