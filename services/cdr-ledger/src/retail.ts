import type { Bus } from '#bus';
import { Rejected } from '#decider';
import { type DueWorker, workDue } from '#due';
import type { EventStore } from '#event-store';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock, Zone } from '#time';
import { Accounts, type AccountsRefusal } from './accounts.ts';
import { booking } from './booking.ts';
import { creditWatch, judgeCredit } from './credit.ts';
import { follow, type Following } from './follow.ts';
import { placesFrom } from './places.ts';
import { PlanBook } from './plan-book.ts';
import { accountRows } from './projections/account-rows.ts';
import type { Recorder } from './record.ts';
import type { RetailSettings } from './retail-config.ts';
import { RetailPricing } from './retail-pricing.ts';
import { Running } from './running.ts';

export interface RetailParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly log: Log;
  readonly list: Pick<Following, 'caughtUp'>;
  readonly zone: Zone;
}

/** Drivers' accounts, where they are kept at all. */
export class Retail {
  private constructor(
    private readonly kept: Kept | undefined,
    /** The followers of the log that keep them. */
    readonly followings: readonly Following[],
  ) {}

  static readonly none = new Retail(undefined, []);

  static async keep(parts: RetailParts, settings: RetailSettings): Promise<Retail> {
    const { db, bus, store, recorder, clock, parties, log, list, zone } = parts;
    const plans = await PlanBook.open(db, settings.versions, clock);
    const pricing = new RetailPricing({ db, store, recorder, clock, settings, plans });
    const placeOf = placesFrom(bus);
    const rows = follow(db, store, accountRows, log);
    const booked = follow(db, store, booking({ db, store, recorder, clock, parties, pricing, settings, list }), log);
    const credit = { db, recorder, clock, rows, booking: booked };
    const judge = (accountId: string) => judgeCredit(credit, accountId);
    const running = new Running({ db, bus, clock, parties, pricing, placeOf, log, judge });
    const worker = workDue(db, clock, { service: 'cdr-ledger', log, kinds: running.kinds });
    const wake = () => worker.wake();
    const watch = follow(db, store, creditWatch(credit, { running, wake }), log);
    const accounts = new Accounts({
      db, store, recorder, clock, pricing, plans, placeOf, running, rows, booking: booked, list, zone,
    });
    return new Retail({ accounts, running, worker }, [rows, booked, watch]);
  }

  /** Undefined where no accounts are kept. */
  get accountsIfKept(): Accounts | undefined {
    return this.kept?.accounts;
  }

  /** Throws Rejected where no accounts are kept. */
  get accounts(): Accounts {
    if (this.kept) return this.kept.accounts;
    throw new Rejected<AccountsRefusal>('accounts-not-kept', 'this operator keeps no accounts of drivers');
  }

  get running(): Running | undefined {
    return this.kept?.running;
  }

  wake(): void {
    this.kept?.worker.wake();
  }

  async stop(): Promise<void> {
    await this.kept?.worker.stop();
    await Promise.all(this.followings.map((following) => following.stop()));
  }
}

interface Kept {
  readonly accounts: Accounts;
  readonly running: Running;
  readonly worker: DueWorker;
}
