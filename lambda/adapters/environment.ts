/**
 * A variable that the template sets.
 * @throws Error when it is missing or empty
 */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`the environment has no ${name}; the template sets it, so deploy again`);
  }
  return value;
}
