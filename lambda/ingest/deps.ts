/** What the function is made of. */
import type { Clock } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import type { Deduplicator } from '../../core/guarantees/deduplicator.ts';
import type { FactsOf } from '../../core/guarantees/index.ts';
import type { Publisher, Quarantine, Telemetry } from '../../core/tables/ports.ts';

export interface IngestDeps<R extends Route = Route> {
  readonly route: R;
  readonly deduplicator: Deduplicator<FactsOf<R>>;
  readonly quarantine: Quarantine;
  readonly publisher: Publisher;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}
