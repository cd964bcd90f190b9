/**
 * How much of the local cloud's memory is its journal of log lines. That is bounded (`LINES_MAX` and
 * `CHARS_MAX` in local/lambda/journal.ts, a half forgotten at a time), and takes longer to fill than a
 * soak may last: growth up to its bound is none that goes on. The lengths alone are kept here, in
 * memory that is taken once.
 */

const LINES_MAX = 50_000;
const CHARS_MAX = 32 * 1024 * 1024;
/** An object for the line and one inside it, its id and time, and the text's own header. */
const LINE_OVERHEAD_BYTES = 160;

export class JournalSize {
  readonly #lengths = new Uint32Array(LINES_MAX + 1);
  #lines = 0;
  #chars = 0;

  add(chars: number): void {
    this.#lengths[this.#lines++] = chars;
    this.#chars += chars;
    if (this.#lines <= LINES_MAX && this.#chars <= CHARS_MAX) return;
    const forgotten = Math.ceil(this.#lines / 2);
    this.#lengths.copyWithin(0, forgotten, this.#lines);
    this.#lines -= forgotten;
    this.#chars = this.#lengths.subarray(0, this.#lines).reduce((sum, length) => sum + length, 0);
  }

  bytes(): number {
    return this.#chars + this.#lines * LINE_OVERHEAD_BYTES;
  }
}
