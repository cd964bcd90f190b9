/** What the profiled function and its reader agree upon. */

/** Between two samples; V8's own default is twice that. */
export const SAMPLE_MICROS = 500;

/** Name of the file that a process writes its profile to. */
export function profileFile(pid: number): string {
  return `${pid}.cpuprofile`;
}
