/** A function that does nothing: what it costs to start, every function costs. */
export const handler = async (): Promise<void> => {};
