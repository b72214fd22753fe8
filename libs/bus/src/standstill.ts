import type { NatsConnection } from '@nats-io/transport-node';

const LOOK_EVERY_MS = 250;
/** Nothing that this process does by itself takes so long. */
const STANDSTILL_MS = 1_000;

/** A process that stood still finds messages that lay there meanwhile, and is not told since when. */
export class Standstill {
  private lookedMs = performance.now();
  private lyingMs = 0;
  private count = 0;
  private readonly timer = setInterval(() => this.mayLieMs(), LOOK_EVERY_MS).unref();

  constructor(private readonly connection: NatsConnection) {}

  /** For so long what arrives now may have lain there: until all that came before it is read, as long as the process stood still. */
  mayLieMs(): number {
    const now = performance.now();
    const stoodMs = now - this.lookedMs;
    this.lookedMs = now;
    if (stoodMs > STANDSTILL_MS) {
      this.lyingMs = Math.max(this.lyingMs, stoodMs);
      const count = (this.count += 1);
      // The server answers behind all that it sent before.
      void this.connection.flush().catch(() => {}).then(() => {
        if (count === this.count) this.lyingMs = 0;
      });
    }
    return this.lyingMs;
  }

  end(): void {
    clearInterval(this.timer);
  }
}
