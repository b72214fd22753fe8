import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import { addSightings, type Sighting } from './quirk-rows.ts';
import type { QuirkName } from './quirks.ts';

const WRITTEN_AFTER_MS = 250;
const DETAIL_MAX = 300;

/**
 * Counts partners' quirks where they show, and writes the counts down now and then: a request costs no statement more
 * for it. What a process had counted in the last moment before it was killed is lost.
 */
export class Sightings {
  private counted = new Map<string, Sighting>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly parts: { readonly db: Database; readonly clock: Clock; readonly log: Log }) {}

  note(partnerId: string, quirk: QuirkName, detail: string): void {
    if (this.stopped) return;
    const key = `${partnerId} ${quirk}`;
    const times = (this.counted.get(key)?.times ?? 0) + 1;
    this.counted.set(key, { partnerId, quirk, times, at: this.parts.clock.now(), detail: detail.slice(0, DETAIL_MAX) });
    this.timer ??= setTimeout(() => this.write(), WRITTEN_AFTER_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.write();
    await this.writing;
  }

  private write(): void {
    this.timer = undefined;
    const sightings = [...this.counted.values()];
    this.counted = new Map();
    if (sightings.length === 0) return;
    this.writing = this.writing.then(() => addSightings(this.parts.db, sightings))
      .catch((error: unknown) => this.parts.log.warn('quirks that were seen could not be counted', { error }));
  }
}
