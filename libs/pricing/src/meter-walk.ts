import { Decimal } from '#money';
import { rfc3339 } from '#time';
import type { ChargeState, PriceChanges } from './changes.ts';
import type { MeterState, RunningPeriod, StateChange } from './meter.ts';
import { energyAt, type Levels, type Piece, widened } from './register.ts';
import type { Moment } from './restriction.ts';
import type { CdrDimension, ChargingPeriod } from './shapes.ts';
import { hours } from './totals.ts';

export interface WalkContext {
  readonly changes: PriceChanges;
  readonly tariffId: string;
  readonly withLevels: boolean;
  readonly oneFlat: boolean;
  readonly registerTenthWh: number | undefined;
}

// More changes of state than this between two readings are no longer kept apart.
const CHANGES_MAX = 100;
// 0.1 Wh in a millisecond.
const WATTS_PER_TENTH_WH_PER_MS = 360_000;

/** Carries a MeterState onward, event by event, and closes a period where the price changes. */
export class MeterWalk {
  readonly #context: WalkContext;
  readonly #startMs: number;
  readonly #startTenthWh: number;
  readonly #closed: ChargingPeriod[];
  readonly #flats: string[];
  #running: RunningPeriod;
  #atMs: number;
  #tenthWh: number;
  #levels: Levels;
  #state: ChargeState;
  #changes: StateChange[];
  #ignored: number;
  #rolledTenthWh: number;

  constructor(context: WalkContext, state: MeterState) {
    this.#context = context;
    this.#startMs = state.startMs;
    this.#startTenthWh = state.startTenthWh;
    this.#closed = [...state.closed];
    this.#flats = [...state.flats];
    this.#running = state.running;
    this.#atMs = state.atMs;
    this.#tenthWh = state.tenthWh;
    this.#levels = { powerW: state.powerW, currentMa: state.currentMa };
    this.#state = state.state;
    this.#changes = [...state.changes];
    this.#ignored = state.ignored;
    this.#rolledTenthWh = state.rolledTenthWh ?? 0;
  }

  toState(): MeterState {
    const { powerW, currentMa } = this.#levels;
    return {
      startMs: this.#startMs,
      startTenthWh: this.#startTenthWh,
      closed: this.#closed,
      running: this.#running,
      flats: this.#flats,
      atMs: this.#atMs,
      tenthWh: this.#tenthWh,
      ...(powerW === undefined ? {} : { powerW }),
      ...(currentMa === undefined ? {} : { currentMa }),
      state: this.#state,
      changes: this.#changes,
      ignored: this.#ignored,
      ...(this.#rolledTenthWh === 0 ? {} : { rolledTenthWh: this.#rolledTenthWh }),
    };
  }

  /** A reading of the register. One that goes back in time or energy is left out. */
  read(atMs: number, registerTenthWh: number, levels: Levels): void {
    const rolledTenthWh = this.#rolledBy(registerTenthWh);
    const tenthWh = registerTenthWh + rolledTenthWh;
    if (atMs < this.#atMs || tenthWh < this.#tenthWh) {
      this.#ignored++;
      return;
    }
    this.#rolledTenthWh = rolledTenthWh;
    this.#advance(atMs, tenthWh);
    this.#levels = levels;
  }

  /** A register that fell by more than half of its size has begun again; less is a false reading. */
  #rolledBy(registerTenthWh: number): number {
    const size = this.#context.registerTenthWh;
    const fallen = this.#tenthWh - this.#rolledTenthWh - registerTenthWh;
    const hasBegunAgain = size !== undefined && fallen > size / 2;
    return this.#rolledTenthWh + (hasBegunAgain ? size : 0);
  }

  /** A change of state; one told late begins where the known past ends. */
  change(atMs: number, state: ChargeState): void {
    const last = this.#changes.at(-1);
    if ((last?.state ?? this.#state) === state) return;
    const from = Math.max(atMs, last?.atMs ?? this.#atMs);
    this.#changes.push({ atMs: from, state });
    if (this.#changes.length > CHANGES_MAX) this.#advance(from, this.#tenthWh);
  }

  /** Every period up to an instant, but no earlier than the newest reading; the running one closed there. */
  finish(atMs: number): ChargingPeriod[] {
    const endMs = Math.max(atMs, this.#atMs);
    this.#advance(endMs, this.#tenthWh);
    const empty = this.#running.startMs === endMs && this.#running.startTenthWh === this.#tenthWh;
    if (!empty || this.#closed.length === 0) this.#close(endMs, this.#tenthWh);
    return this.#closed;
  }

  /**
   * Walks from the newest reading to the next one, through the changes of state between them. Later ones
   * wait: a status may overtake readings that a station kept while it was away.
   */
  #advance(toMs: number, toTenthWh: number): void {
    const until = this.#changes.filter(({ atMs }) => atMs <= toMs);
    for (const piece of this.#pieces(toMs, toTenthWh, until)) this.#walk(piece);
    this.#state = until.at(-1)?.state ?? this.#state;
    this.#changes = this.#changes.slice(until.length);
    this.#atMs = toMs;
    this.#tenthWh = toTenthWh;
  }

  /** Energy runs evenly through the charging time, or through all of it if there is none. */
  *#pieces(toMs: number, toTenthWh: number, changes: readonly StateChange[]): Iterable<Piece> {
    const steps = [{ atMs: this.#atMs, state: this.#state }, ...changes];
    const lengthMs = (i: number) => (steps[i + 1]?.atMs ?? toMs) - steps[i]!.atMs;
    const charges = steps.some(({ state }, i) => state === 'charging' && lengthMs(i) > 0);
    const flowMs = (i: number) => (!charges || steps[i]!.state === 'charging' ? lengthMs(i) : 0);
    const totalMs = steps.reduce((total, _, i) => total + flowMs(i), 0);
    const gained = toTenthWh - this.#tenthWh;
    let flowedMs = 0;
    let fromTenthWh = this.#tenthWh;
    for (let i = 0; i < steps.length; i++) {
      const { atMs: fromMs, state } = steps[i]!;
      if (lengthMs(i) === 0) continue;
      flowedMs += flowMs(i);
      const to = this.#tenthWh + Math.round((gained * flowedMs) / totalMs);
      const span = { fromMs, toMs: fromMs + lengthMs(i), fromTenthWh, toTenthWh: to };
      yield { ...span, state, levels: this.#levelsOf(state, span) };
      fromTenthWh = to;
    }
  }

  #levelsOf(state: ChargeState, span: Omit<Piece, 'state' | 'levels'>): Levels {
    const perMs = (span.toTenthWh - span.fromTenthWh) / (span.toMs - span.fromMs);
    const averageW = Math.round(perMs * WATTS_PER_TENTH_WH_PER_MS);
    if (state !== 'charging') return { powerW: averageW, currentMa: 0 };
    // As a period without energy is read: no current flows where nobody tells of one.
    const currentMa = this.#levels.currentMa ?? (averageW === 0 ? 0 : undefined);
    return { powerW: this.#levels.powerW ?? averageW, currentMa };
  }

  /** Looks at every moment of a piece at which the price may change. */
  #walk(piece: Piece): void {
    let atMs = piece.fromMs;
    let tenthWh = piece.fromTenthWh;
    for (;;) {
      this.#turn(atMs, tenthWh, piece);
      let nextMs = this.#context.changes.nextMs(atMs, this.#startMs);
      let nextTenthWh = Math.max(tenthWh, energyAt(piece, Math.min(nextMs, piece.toMs)));
      const bound = this.#nextBound(tenthWh);
      if (bound !== undefined && bound < piece.toTenthWh) {
        // Multiplied first, so that an exact millisecond stays one.
        const flown = (bound - piece.fromTenthWh) * (piece.toMs - piece.fromMs);
        const exactMs = piece.fromMs + Math.ceil(flown / (piece.toTenthWh - piece.fromTenthWh));
        // What flowed beyond the bound in the last millisecond has a period of its own too.
        const boundMs = Math.min(exactMs, piece.toMs - 1);
        if (boundMs <= nextMs) {
          // No period is shorter than a millisecond.
          nextMs = Math.max(boundMs, this.#running.startMs + 1);
          nextTenthWh = bound;
        }
      }
      if (nextMs >= piece.toMs) return;
      atMs = nextMs;
      tenthWh = nextTenthWh;
    }
  }

  /** The register at which the next energy bound of the tariff is reached. */
  #nextBound(tenthWh: number): number | undefined {
    const soFar = Decimal.of(tenthWh - this.#startTenthWh, 1);
    const bound = this.#context.changes.nextEnergyWh(soFar);
    return bound && Number(bound.shift(1).roundTo(0, 'ceiling').coefficient) + this.#startTenthWh;
  }

  /** Begins a new period if the price or the state is another one than the running period's. */
  #turn(atMs: number, tenthWh: number, { state, levels }: Piece): void {
    const { changes, oneFlat, withLevels } = this.#context;
    const moment = this.#moment(atMs, tenthWh, levels);
    const price = changes.priceAt(moment, state);
    const running = this.#running;
    const settled = oneFlat && this.#flats.length > 0 && running.flat === undefined;
    const flat = settled ? undefined : changes.flatAt(moment);
    const begins = flat !== undefined && flat !== running.flat && this.#isDue(flat);
    // A period shows the levels of all its time; the FLAT due at its start asks for one of them.
    const ends = running.flat !== undefined && flat !== running.flat;
    const powerW = widened(running.powerW, levels.powerW);
    const currentMa = widened(running.currentMa, levels.currentMa);
    if (!begins && !ends && running.state === state && running.price === price) {
      this.#running = { ...running, powerW, currentMa };
      return;
    }
    const empty = running.startMs === atMs;
    if (!empty) this.#close(atMs, tenthWh);
    if (begins) this.#flats.push(flat);
    this.#running = {
      startMs: atMs,
      startTenthWh: empty ? running.startTenthWh : tenthWh,
      state,
      price,
      ...(begins && withLevels ? { flat } : {}),
      powerW: widened(undefined, levels.powerW),
      currentMa: widened(undefined, levels.currentMa),
    };
  }

  #isDue(flat: string): boolean {
    return this.#context.oneFlat ? this.#flats.length === 0 : !this.#flats.includes(flat);
  }

  #moment(atMs: number, tenthWh: number, { powerW, currentMa }: Levels): Moment {
    const power = powerW === undefined ? undefined : Decimal.of(powerW, 3);
    const current = currentMa === undefined ? undefined : Decimal.of(currentMa, 3);
    return {
      atMs,
      wallMs: this.#context.changes.wallMs(atMs),
      elapsedMs: atMs - this.#startMs,
      energyWh: Decimal.of(tenthWh - this.#startTenthWh, 1),
      levels: { min_power: power, max_power: power, min_current: current, max_current: current },
    };
  }

  #close(endMs: number, endTenthWh: number): void {
    const { startMs, startTenthWh, state, powerW, currentMa } = this.#running;
    const kwh = (endTenthWh - startTenthWh) / 10_000;
    const dimensions: CdrDimension[] = [];
    if (kwh !== 0 || state !== 'parking') dimensions.push({ type: 'ENERGY', volume: kwh });
    if (state !== 'paused') {
      const type = state === 'charging' ? 'TIME' : 'PARKING_TIME';
      dimensions.push({ type, volume: hours(endMs - startMs) });
    }
    if (this.#context.withLevels) {
      for (const [range, name] of [
        [powerW, 'POWER'],
        [currentMa, 'CURRENT'],
      ] as const) {
        if (!range) continue;
        dimensions.push({ type: `MIN_${name}`, volume: range[0] / 1000 });
        dimensions.push({ type: `MAX_${name}`, volume: range[1] / 1000 });
      }
    }
    const { tariffId } = this.#context;
    this.#closed.push({ start_date_time: rfc3339(startMs), dimensions, tariff_id: tariffId });
  }
}
