/** What the figures belong to. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** One line: processors, memory, system, versions. */
export function machineText(): string {
  const [processor] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return (
    `${cpus().length} × ${processor?.model ?? 'unknown processor'}, ${gibibytes} GiB, ` +
    `${type()} ${release()}, Node.js ${process.versions.node} (V8 ${process.versions.v8})`
  );
}

/** How busy the machine was: figures of a busy one are noise. */
export function loadText(): string {
  const [minute = 0] = loadavg();
  return minute.toFixed(2);
}

/**
 * CPU time of a process of this machine in microseconds, its ended children not included.
 * Source: proc(5), fields 14 and 15 of /proc/PID/stat in clock ticks, 100 a second on Linux.
 */
export function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of a process may hold blanks and brackets: fields are counted after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident memory of a process in bytes. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kibibytes) * 1_024;
}

/** Processes that this one has started and that still run. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
