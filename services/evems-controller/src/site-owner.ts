import type { Bus } from '#bus';
import { Rejected } from '#decider';
import type { Executor } from '#event-store';
import type { Database } from '#postgres';
import type { Log, Tracer } from '#telemetry';
import { inSpan } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import { type Car, carAt } from './car.ts';
import { connectorsOf } from './connector-rows.ts';
import { explained } from './explained.ts';
import { chargerKey, type Site } from './feeder.ts';
import type { Moment } from './lease.ts';
import {
  type LimitCommand,
  type LimitEvent,
  limits,
  type Note,
  type SiteLimits,
} from './limits.ts';
import type { Order } from './order.ts';
import type { SiteState } from './plan.ts';
import { send } from './sending.ts';
import { type Answer, leasedUntil, stepped, takenOver } from './site.ts';
import { passGate, takeSite } from './site-rows.ts';

export interface OwnerParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly logbook: Executor<SiteLimits, LimitCommand, LimitEvent>;
  /** Real time between two looks when nothing calls for one. */
  readonly lookEveryMs: number;
}

/** Another process has the site now. */
class NotTheOwner extends Error {}

const START_AGAIN_MS = 1_000;

/**
 * The one process that tells a site's chargers their limits: looks at them twice a second and
 * whenever something happens, and sends what may be sent. What it does is in `site.ts`; here is
 * what it does it with. When the log or the database fail it forgets all it knows and begins again
 * as a new owner would, from what is written.
 */
export class SiteOwner {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private wake: () => void = () => {};
  private poked = false;
  private answers: Answer[] = [];
  private looks = 0;
  private lastGate = '';

  constructor(
    private readonly parts: OwnerParts,
    private readonly site: Site,
    private readonly epoch: number,
  ) {
    this.running = this.run();
  }

  /** Something happened: look now. */
  poke(): void {
    this.poked = true;
    this.wake();
  }

  /** Sends nothing more. What is on its way stays so; the next owner reckons with it. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.poke();
    await this.running;
  }

  private async run(): Promise<void> {
    const { log } = this.parts;
    while (!this.stopping.signal.aborted) {
      try {
        let state = await this.taken();
        while (!this.stopping.signal.aborted) {
          state = await this.look(state);
          await this.somethingNew(this.parts.lookEveryMs);
        }
      } catch (error) {
        if (isReplaced(error)) {
          log.warn('another process has the site', { site: this.site.id, epoch: this.epoch });
          return;
        }
        log.error('begins again with the site', { site: this.site.id, error });
        this.poked = false;
        await this.somethingNew(START_AGAIN_MS);
      }
    }
  }

  private async taken(): Promise<SiteState> {
    const { logbook } = this.parts;
    const { site, epoch } = this;
    this.answers = [];
    this.lastGate = '';
    const row = await takeSite(this.parts.db, site.id, epoch);
    if (!row) throw new NotTheOwner();
    const signed = {
      type: 'TakeSite' as const,
      siteId: site.id,
      at: this.parts.clock.iso(),
      epoch,
    };
    const { state } = await logbook.execute(site.id, `${site.id}/${epoch}/take`, signed);
    return takenOver(site, state, { leasedUntil: row.leasedUntil, now: this.moment() });
  }

  /** One look: hear, plan, write down, pass the gate, send. */
  private async look(before: SiteState): Promise<SiteState> {
    this.poked = false;
    this.looks += 1;
    const cars = await this.cars();
    const answers = this.answers.splice(0);
    const now = this.moment();
    const step = stepped(before, { cars, answers }, now);
    const state = { ...step.state, limits: await this.written(step.state.limits, step.notes, now) };
    await this.gate(state, JSON.stringify(explained(state, step.plan, now)), step.orders);
    for (const [i, order] of step.orders.entries()) {
      void this.sent(order, `${this.site.id}/${this.epoch}/${this.looks}/${i}`);
    }
    return state;
  }

  private async cars(): Promise<ReadonlyMap<string, Car>> {
    const connectors = await connectorsOf(this.parts.db, this.site.chargers);
    return new Map(
      connectors.map((one) => [chargerKey(one.stationId, one.connectorId), carAt(one)]),
    );
  }

  /** Most looks bring no news, and then the log is left alone. */
  private async written(
    told: SiteLimits,
    notes: readonly Note[],
    now: Moment,
  ): Promise<SiteLimits> {
    const { site, epoch } = this;
    const command = {
      type: 'TakeNotes' as const,
      siteId: site.id,
      at: rfc3339(now.at),
      epoch,
      notes,
    };
    if (limits.decide(command, told).length === 0) return told;
    const commandId = `${site.id}/${epoch}/${this.looks}/${now.at}`;
    return (await this.parts.logbook.execute(site.id, commandId, command)).state;
  }

  private async gate(state: SiteState, plan: string, orders: readonly Order[]): Promise<void> {
    const until = leasedUntil(state);
    const gate = `${until} ${plan}`;
    if (orders.length === 0 && gate === this.lastGate) return;
    const { site, epoch } = this;
    if (!(await passGate(this.parts.db, site.id, { epoch, leasedUntil: until, plan })))
      throw new NotTheOwner();
    this.lastGate = gate;
  }

  private async sent(order: Order, commandId: string): Promise<void> {
    const { bus, tracer, log } = this.parts;
    const heard = this.answers;
    const { kind, stationId, connectorId, limitMa } = order;
    const answer = await inSpan(
      tracer,
      'tell a limit',
      { site: this.site.id, stationId, kind, limitMa },
      () => send(bus, order, { epoch: this.epoch, commandId }),
    );
    if (answer.outcome !== 'accepted') {
      log.warn('a limit was not accepted', { stationId, connectorId, kind, limitMa, ...answer });
    }
    // After a new beginning this answer belongs to orders that were forgotten.
    if (heard !== this.answers) return;
    this.answers.push(answer);
    this.poke();
  }

  private moment(): Moment {
    const { clock } = this.parts;
    return { at: clock.now(), watch: performance.now() * clock.rate };
  }

  private async somethingNew(withinMs: number): Promise<void> {
    if (this.poked || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => {};
  }
}

function isReplaced(error: unknown): boolean {
  return (
    error instanceof NotTheOwner || (error instanceof Rejected && error.code === 'not-the-owner')
  );
}
