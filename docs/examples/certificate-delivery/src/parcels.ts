/**
 * What the carrier knows of its mail items, in one file of JSON lines: events as they came, each once.
 *
 * Events come at least once and, where one failed for long, out of order: `id` tells a repetition, `sequence` the order.
 */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync } from "node:fs";

export interface Step {
  readonly id: string;
  readonly number: string;
  readonly sequence: number;
  readonly type: string;
  readonly at: string;
  readonly place: string;
  readonly text: string;
}

export class Parcels {
  readonly #file: number;
  readonly #seen = new Set<string>();
  readonly #steps = new Map<string, Step[]>();

  constructor(path: string) {
    if (existsSync(path)) {
      const kept = readFileSync(path);
      const end = kept.lastIndexOf("\n") + 1;
      if (end < kept.length) truncateSync(path, end); // a crash left half a line: it was not answered, so it comes again
      for (const line of kept.subarray(0, end).toString().split("\n")) {
        if (line !== "") this.#take(JSON.parse(line) as Step);
      }
    }
    this.#file = openSync(path, "a");
  }

  /** Store a step; false where it was there already. It is on the disk when this returns. */
  keep(step: Step): boolean {
    if (this.#seen.has(step.id)) return false;
    appendFileSync(this.#file, `${JSON.stringify(step)}\n`);
    fsyncSync(this.#file);
    this.#take(step);
    return true;
  }

  /** The steps of an item in their order; none where nothing is known of it. */
  track(number: string): readonly Step[] {
    return this.#steps.get(number) ?? [];
  }

  close(): void {
    closeSync(this.#file);
  }

  #take(step: Step): void {
    this.#seen.add(step.id);
    const steps = [...this.track(step.number), step];
    this.#steps.set(step.number, steps.sort((one, other) => one.sequence - other.sequence));
  }
}
