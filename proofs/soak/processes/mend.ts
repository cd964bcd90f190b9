/** Forwards that were lost after the broker had taken them: explained, then sent again by hand. */
import { openAccess } from '../../../cli/access/access.ts';
import { publisherOf } from '../../../cli/access/publishing.ts';
import { forwardAgain } from '../../../cli/commands/forward-again.ts';
import { checkConfig } from '../../../core/config/check.ts';
import type { Row } from '../books.ts';
import { config } from '../plan.ts';

const TEMPLATES: Readonly<Record<string, string>> = {
  charges: 'booked/{device}/charges',
  events: 'clean/{device}/events',
  status: 'newest/{device}/status',
};

/** The topic that each row is forwarded on. */
export function forwardTopics(rows: readonly Row[]): readonly string[] {
  return rows.map((row) =>
    (TEMPLATES[row.route?.S ?? ''] ?? '').replace('{device}', row.device?.S ?? ''),
  );
}

/** Topics on which more is missing than was dropped there. */
export function unexplainedBy(
  dropped: readonly string[],
  missing: readonly string[],
): readonly string[] {
  const left = new Map<string, number>();
  for (const topic of dropped) left.set(topic, (left.get(topic) ?? 0) + 1);
  return missing.filter((topic) => {
    const count = left.get(topic) ?? 0;
    left.set(topic, count - 1);
    return count <= 0;
  });
}

/** `tollbridge forward-again` for each of the rows; says how many they were. */
export async function mendForwards(apiUrl: string, rows: readonly Row[]): Promise<number> {
  const access = await openAccess({ local: apiUrl }, checkConfig(config));
  try {
    const publisher = publisherOf(access);
    for (const row of rows) {
      const route = access.route(row.route?.S ?? '');
      await forwardAgain(access, publisher, route, row.device?.S ?? '', row.id?.S ?? '');
    }
    return rows.length;
  } finally {
    access.close();
  }
}
