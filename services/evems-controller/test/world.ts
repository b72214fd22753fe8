import { fold } from '#decider';
import { rfc3339 } from '#time';
import { type Car, noCar } from '../src/car.ts';
import type { Charger, Site } from '../src/feeder.ts';
import type { Lease, Moment } from '../src/lease.ts';
import { type LimitCommand, type LimitEvent, limits, type SiteLimits } from '../src/limits.ts';
import type { Order, Outcome } from '../src/order.ts';
import { capOf, type Plan, planned, type SiteState } from '../src/plan.ts';
import { type Profile, validProfile } from '../src/profile.ts';
import { type Answer, leasedUntil, observed, stepped, takenOver } from '../src/site.ts';
import { LEASE_MS, MARGIN_MS, siteOf, type SiteShape } from './site-of.ts';

/** What a mutant gets wrong: it sees answers, the log or the time as something else. */
export interface Owner {
  /** Takes an order for obeyed as soon as it is sent. */
  readonly isHasty?: boolean;
  readonly hears?: (outcome: Outcome) => Outcome;
  readonly reads?: (log: SiteLimits) => SiteLimits;
  readonly looks?: (now: Moment) => Moment;
}

export type How = 'obey' | 'refuse' | 'lose' | 'obey-silently' | 'obey-late';

interface Flight {
  readonly order: Order;
  readonly epoch: number;
}

/** A charger as it really is. It draws all that it may; its fail-safe was set at installation. */
interface Real {
  readonly charger: Charger;
  car: Car;
  lease: Lease | undefined;
  failSafeMa: number;
}

interface Station {
  /** What its clock shows is the true time plus this. */
  offset: number;
  /** How far its clock is off even when it has just been set. */
  readonly skew: number;
  epochObeyed: number;
  /** Taken by the socket, unanswered, not yet obeyed. */
  late: Order[];
}

/** Chargers, the wire, the log and one owner after the other; time passes only by `wait`. */
export class World {
  readonly site: Site;
  readonly real: Real[];
  readonly stations = new Map<string, Station>();
  readonly log: LimitEvent[] = [];
  flights: Flight[] = [];
  private leasedUntil = 0;
  private epoch = 0;
  private state!: SiteState;
  /** Of the last pass: a moment later it may be another's turn. */
  lastPlan!: Plan;
  private answers: Answer[] = [];
  private orders = 0;
  private now = 1_000_000_000_000;
  /** What the platform's clock shows is the true time plus this. */
  private offset = 0;
  /** Each process has a watch of its own. */
  private watchFrom = 0;

  constructor(
    shape: SiteShape,
    private readonly owner: Owner = {},
  ) {
    this.site = siteOf(shape);
    const { failSafeMa, chargers } = this.site;
    this.real = chargers.map((charger) => ({ charger, car: noCar, lease: undefined, failSafeMa }));
    for (const [i, { stationId }] of chargers.entries()) {
      const skew = ((i % 3) - 1) * (MARGIN_MS - 1_000);
      this.stations.set(stationId, { offset: skew, skew, epochObeyed: 0, late: [] });
    }
    this.changeOwner();
  }

  /** The current on the feeder when every charger draws all that its profiles let it draw. */
  drawnMa(): number {
    return this.real.reduce((sum, one) => sum + this.drawnBy(one), 0);
  }

  drawnBy({ charger, lease, failSafeMa }: Real): number {
    const clock = this.now + this.station(charger).offset;
    const inForce = lease && clock >= lease.until - LEASE_MS && clock < lease.until;
    return inForce ? lease.limitMa : failSafeMa;
  }

  exposedMa(): number {
    return this.plan().exposedMa;
  }

  plan(): Plan {
    return planned(this.state, this.moment());
  }

  /** The owner hears, plans, records and sends. */
  pass(): readonly Order[] {
    const now = this.moment();
    const answers = this.answers.splice(0).map((answer) => ({
      ...answer,
      outcome: this.owner.hears?.(answer.outcome) ?? answer.outcome,
    }));
    const { state, plan, orders, notes } = stepped(this.state, { cars: this.cars(), answers }, now);
    this.lastPlan = plan;
    this.state = this.recorded(state, { type: 'TakeNotes', notes });
    for (const order of orders) {
      this.flights.push({ order, epoch: this.epoch });
      if (this.owner.isHasty)
        this.answers.push({ key: order.key, outcome: 'accepted', detail: '' });
    }
    this.leasedUntil = Math.max(this.leasedUntil, leasedUntil(this.state));
    return orders;
  }

  /** Another process takes the site; what the former one sent is still on its way. */
  changeOwner(): void {
    this.epoch += 1;
    this.watchFrom = this.now - 7 * this.epoch;
    this.answers = [];
    const now = this.moment();
    const past = fold(limits, this.log);
    const told = this.owner.reads?.(past) ?? past;
    const state = takenOver(this.site, told, { leasedUntil: this.leasedUntil, now });
    this.state = this.recorded(state, { type: 'TakeSite' });
  }

  /** What becomes of the nth order that is on its way, or of the first before it to its station. */
  settle(nth: number, how: How): void {
    const some = this.flights[nth % Math.max(1, this.flights.length)];
    if (!some) return;
    const flight =
      this.flights.find(({ order }) => order.stationId === some.order.stationId) ?? some;
    this.flights = this.flights.filter((other) => other !== flight);
    const { order, epoch } = flight;
    const station = this.station(order);
    const answer = (outcome: Outcome) => {
      if (epoch === this.epoch) this.answers.push({ key: order.key, outcome, detail: '' });
    };
    if (!this.realOf(order).car.connected) return answer('undelivered');
    if (epoch < station.epochObeyed) return answer('stale');
    if (how === 'lose') return answer('unknown');
    if (how === 'obey-late') {
      station.late.push(order);
      return answer('unknown');
    }
    this.catchUp(order.stationId);
    if (how === 'refuse') return answer('refused');
    this.obey(order);
    if (how === 'obey-silently') return answer('unknown');
    station.epochObeyed = epoch;
    answer('accepted');
  }

  /** The station works off what it had not answered. */
  catchUp(stationId: string): void {
    for (const order of this.station({ stationId }).late.splice(0)) this.obey(order);
  }

  plug(i: number): void {
    this.change(i, { plugged: true, wants: 'power', arrivedAt: this.platformNow });
  }

  unplug(i: number): void {
    this.change(i, { plugged: false, wants: 'nothing', held: undefined });
  }

  disconnect(i: number, obeysLate: boolean): void {
    const { stationId } = this.one(i).charger;
    if (obeysLate) this.catchUp(stationId);
    this.station({ stationId }).late = [];
    for (const j of this.connectorsOf(stationId)) this.change(j, { connected: false });
  }

  connect(i: number): void {
    const { charger, car } = this.one(i);
    if (car.connected) return;
    this.setClock(charger.stationId);
    for (const j of this.connectorsOf(charger.stationId)) {
      this.change(j, { connected: true, connection: car.connection + 1 });
    }
  }

  /** The station forgets its leases, but not its fail-safe. */
  reboot(i: number): void {
    const { stationId } = this.one(i).charger;
    this.station({ stationId }).late = [];
    for (const j of this.connectorsOf(stationId)) {
      this.one(j).lease = undefined;
      this.change(j, { bootedAt: this.now });
    }
  }

  /**
   * The platform's clock is set: the owner looks at it twice a second, the stations follow at once
   * or when they next hear something.
   */
  stepClock(byMs: number, stationsFollow: boolean): void {
    this.offset += byMs;
    this.state = observed(this.state, this.cars(), this.moment());
    this.leasedUntil = Math.max(this.leasedUntil, leasedUntil(this.state));
    if (!stationsFollow) return;
    for (const { charger, car } of this.real) if (car.connected) this.setClock(charger.stationId);
  }

  /** Calls `check` whenever what the chargers may draw may have changed. */
  wait(ms: number, check: () => void): void {
    const end = this.now + ms;
    for (;;) {
      const ends = this.real.flatMap((one) => {
        const offset = this.station(one.charger).offset;
        if (!one.lease) return [];
        return [one.lease.until - LEASE_MS - offset, one.lease.until - offset];
      });
      const next = Math.min(end, ...ends.filter((at) => at > this.now));
      this.now = next;
      this.forgetEnded();
      check();
      if (next === end) return;
    }
  }

  /**
   * Looks, sends and has everything obeyed until nothing is left to be told, and until the slowest
   * clock has come to where the new limits begin.
   */
  settleAll(how: (order: Order) => How = () => 'obey'): void {
    for (let round = 0; round < 20; round += 1) {
      this.pass();
      if (this.flights.length + this.answers.length === 0) break;
      for (let first = this.flights[0]; first; first = this.flights[0])
        this.settle(0, how(first.order));
    }
    this.wait(MARGIN_MS, () => {});
  }

  /** Everything works from now on, and no profile turns any more. */
  calmDown(): void {
    for (const [i, { car: { held } }] of this.real.entries()) {
      if (!held?.profile) continue;
      const periods = [{ afterMs: 0, limitMa: this.capMa(i) }];
      const profile = { startAt: 0, durationMs: undefined, minMa: 0, periods };
      this.change(i, { held: { ...held, profile, before: profile } });
    }
    for (const i of this.real.keys()) this.connect(i);
    for (let round = 0; round < 12; round += 1) {
      this.wait(31_000, () => {});
      this.settleAll();
    }
  }

  get platformNow(): number {
    return this.now + this.offset;
  }

  private recorded(
    state: SiteState,
    command: { type: 'TakeSite' } | Pick<LimitCommand & { type: 'TakeNotes' }, 'type' | 'notes'>,
  ): SiteState {
    const at = rfc3339(this.moment().at);
    const signed = { ...command, siteId: this.site.id, at, epoch: this.epoch };
    const events = limits.decide(signed, state.limits);
    this.log.push(...events);
    return { ...state, limits: fold(limits, events, state.limits) };
  }

  private cars(): Map<string, Car> {
    return new Map(this.real.map((one) => [one.charger.key, one.car]));
  }

  private moment(): Moment {
    const watch = this.now - this.watchFrom;
    const now = { at: this.now + this.offset, watch };
    return this.owner.looks?.(now) ?? now;
  }

  /** A profile that has ended does not come back when the clock is set back. */
  private forgetEnded(): void {
    for (const one of this.real) {
      const clock = this.now + this.station(one.charger).offset;
      if (one.lease && clock >= one.lease.until) one.lease = undefined;
    }
  }

  private obey(order: Order): void {
    const real = this.realOf(order);
    this.setClock(order.stationId);
    if (order.kind === 'fail-safe') real.failSafeMa = order.limitMa;
    else real.lease = order.lease;
  }

  private setClock(stationId: string): void {
    const station = this.station({ stationId });
    station.offset = this.offset + station.skew;
    this.forgetEnded();
  }

  private one(i: number): Real {
    return this.real[i % this.real.length] as Real;
  }

  /** What the station tells of the connector changes. */
  change(i: number, car: Partial<Car>): void {
    const real = this.one(i);
    real.car = { ...real.car, ...car };
  }

  /** A partner sets a charging profile for the charge there, if there is one. */
  setProfile(i: number, profile: Profile | undefined): void {
    const { car } = this.one(i);
    if (car.wants === 'nothing') return;
    this.orders += 1;
    const held = {
      orderId: `P${this.orders}`, sessionId: `S${i}`, obeyUntil: this.platformNow + 60_000, unit: 'A' as const, wattsPerAmp: 208,
      profile, before: validProfile(car.held, fold(limits, this.log).chargers.get(this.one(i).charger.key)?.profile, this.platformNow),
    };
    this.change(i, { held });
  }

  /** The most that the charging profile of the nth charger leaves now. */
  capMa(i: number): number {
    const real = this.real[i]!;
    return capOf(this.state, this.state.chargers.get(real.charger.key)!, this.moment());
  }

  private realOf({ key }: { key: string }): Real {
    return this.real.find(({ charger }) => charger.key === key) as Real;
  }

  private station({ stationId }: { stationId: string }): Station {
    return this.stations.get(stationId) as Station;
  }

  private connectorsOf(stationId: string): number[] {
    return [...this.real.keys()].filter((i) => this.real[i]?.charger.stationId === stationId);
  }
}
