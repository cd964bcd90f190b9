/** Runs the parts that it is sent, and sends back what it found; ends with its parent. */
import type { PartResult } from './parts.ts';
import { type Part, runPart } from './run.ts';

process.on('message', async (part: Part) => {
  const { schedules, failures, coverage } = await runPart(part);
  const result: PartResult = { schedules, failures, coverage: [...coverage] };
  process.send?.(result);
});
