import { AppendRefused, LIMITS } from './bounds.ts';
import type { AppendItem, AppendOutcome } from './port.ts';

interface Waiting {
  readonly item: AppendItem;
  readonly bytes: number;
  readonly call: Call;
  /** Its place among the items of the call. */
  readonly place: number;
}

/** One `append`: answered when all its items are. */
interface Call {
  readonly outcomes: AppendOutcome[];
  open: number;
  resolve(outcomes: AppendOutcome[]): void;
  reject(error: unknown): void;
}

export interface BatchLimits {
  readonly events: number;
  readonly bytes: number;
}

export type SendBatch = (items: readonly AppendItem[]) => Promise<AppendOutcome[]>;

/**
 * Coalesces awaited appends: while one batch of a lane is on its way, the items that come in form
 * the next one. Several lanes let one batch be prepared while another is being written; a stream
 * always takes the same lane, so that its items stay in order.
 */
export class Batches {
  private readonly lanes: Lane[];
  private bytesInFlight = 0;
  private closed = false;

  constructor(send: SendBatch, limits: BatchLimits, lanes: number) {
    const answered = (bytes: number) => { this.bytesInFlight -= bytes; };
    this.lanes = Array.from({ length: lanes }, () => new Lane(send, limits, answered));
  }

  /** `bytes[n]` is the size of `items[n]`. */
  append(items: readonly AppendItem[], bytes: readonly number[]): Promise<AppendOutcome[]> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new AppendRefused('store-closed', 'store');
      if (items.length === 0) resolve([]);
      const total = bytes.reduce((sum, n) => sum + n, this.bytesInFlight);
      if (total > LIMITS.bytesInFlight) {
        throw new AppendRefused('too-much-in-flight', 'items', `${total} > ${LIMITS.bytesInFlight} bytes`);
      }
      this.bytesInFlight = total;
      const call: Call = { outcomes: [], open: items.length, resolve, reject };
      for (const [place, item] of items.entries()) {
        this.laneOf(item.stream).add({ item, bytes: bytes[place] ?? 0, call, place });
      }
    });
  }

  /** Refuses what comes from now on; resolves when all that was taken is answered. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.lanes.map((lane) => lane.idle()));
  }

  private laneOf(stream: string): Lane {
    let hash = 0;
    for (let n = 0; n < stream.length; n += 1) hash = (Math.imul(hash, 31) + stream.charCodeAt(n)) | 0;
    return this.lanes[(hash >>> 0) % this.lanes.length] as Lane;
  }
}

class Lane {
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly send: SendBatch,
    private readonly limits: BatchLimits,
    private readonly answered: (bytes: number) => void,
  ) {}

  add(one: Waiting): void {
    this.waiting.push(one);
    this.running ??= this.run();
  }

  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    // Callers of the same turn are in the first batch already.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.take();
      try {
        const outcomes = await this.send(batch.map((one) => one.item));
        for (const [n, one] of batch.entries()) answer(one, outcomes[n] as AppendOutcome);
      } catch (error) {
        for (const one of batch) one.call.reject(error);
      }
      this.answered(batch.reduce((sum, one) => sum + one.bytes, 0));
    }
    this.running = undefined;
  }

  /** As many as the limits allow, and at least one. */
  private take(): Waiting[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const one of this.waiting) {
      events += one.item.events.length;
      bytes += one.bytes;
      if (count > 0 && (events > this.limits.events || bytes > this.limits.bytes)) break;
      count += 1;
    }
    const batch = this.waiting.slice(0, count);
    this.waiting = this.waiting.slice(count);
    return batch;
  }
}

function answer({ call, place }: Waiting, outcome: AppendOutcome): void {
  call.outcomes[place] = outcome;
  call.open -= 1;
  if (call.open === 0) call.resolve(call.outcomes);
}
