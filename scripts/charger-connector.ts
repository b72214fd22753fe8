import type { ChargePointStatus16, ChargingProfile16, MeterValue16, SampledValue16 } from '#ocpp';
import { rfc3339 } from '#time';
import { PILOT_A_MIN } from './charger-cars.ts';
import type { Offer, PluggedCar } from './charger-cars.ts';
import type { StationModel } from './charger-models.ts';
import type { Limit } from './charger-profiles.ts';

export interface Transaction {
  /** -1 until the central system gave one (S16-43). */
  id: number;
  readonly idTag: string;
  parentIdTag: string | undefined;
  readonly startedAt: number;
  readonly meterStartWh: number;
  nextSampleAt: number;
  /** The central system said no, and the station was told not to stop by itself (S16-42). */
  suspended: boolean;
}

/** Somebody may charge as soon as a plug is in. */
export interface Pending {
  readonly idTag: string;
  readonly parentIdTag: string | undefined;
  readonly until: number;
  readonly profile: ChargingProfile16 | undefined;
}

export interface Reservation {
  readonly id: number;
  readonly idTag: string;
  readonly parentIdTag: string | undefined;
  readonly until: number;
}

const MJ_PER_WH = 3_600_000;
const STEP_MS = 1_000;

/**
 * One cable: its meter, the car on it, and what state that makes. The register counts W × ms in
 * whole
 * numbers, so energy is exact and never runs backwards. Times are platform time, epoch ms.
 */
export class Connector {
  readonly id: number;
  readonly model: StationModel;
  readonly #startWh: number;
  #registerMj = 0;
  #meteredTo: number;
  car: PluggedCar | undefined;
  transaction: Transaction | undefined;
  pending: Pending | undefined;
  reservation: Reservation | undefined;
  fault: string | undefined;
  /** As the central system ordered; `scheduled` = not before the transaction ends (S16-60). */
  operative = true;
  scheduledInoperative = false;
  /** A transaction ended and the plug is still in. */
  finishing = false;
  /** The other cable has the power. */
  siblingInUse = false;
  limit: Limit;
  /** Last told to the central system. */
  toldStatus: ChargePointStatus16 | undefined;

  constructor(
    id: number,
    model: StationModel,
    meter: { readonly startWh: number; readonly at: number },
  ) {
    this.id = id;
    this.model = model;
    this.#startWh = meter.startWh;
    this.#meteredTo = meter.at;
    this.limit = { limitA: model.hardwareA, by: [] };
  }

  get registerWh(): number {
    return this.#startWh + Math.floor(this.#registerMj / MJ_PER_WH);
  }
  get powerW(): number {
    return this.car?.powerW ?? 0;
  }
  get meteredTo(): number {
    return this.#meteredTo;
  }

  get offer(): Offer | undefined {
    const { transaction, fault } = this;
    if (!transaction || transaction.suspended || fault !== undefined) return undefined;
    const { kind, wattsPerAmp } = this.model;
    return { kind, limitA: this.limit.limitA, wattsPerAmp };
  }

  /**
   * Meters up to an instant, in steps of a second on the platform's clock; `limitAt` is asked
   * before
   * every step, for schedules change in between. Returns whether the limit changed.
   */
  meterTo(at: number, limitAt: (at: number) => Limit): boolean {
    const before = this.limit.limitA;
    while (this.#meteredTo < at) {
      const next = Math.min(at, Math.floor(this.#meteredTo / STEP_MS + 1) * STEP_MS);
      if (this.car) {
        this.limit = limitAt(this.#meteredTo);
        // The car's own steps stand on whole seconds; what is left of one is metered at the same
        // power.
        if (this.#meteredTo % STEP_MS === 0) this.car.step(this.offer);
        this.#registerMj += this.powerW * (next - this.#meteredTo);
        this.#meteredTo = next;
      } else this.#meteredTo = at;
    }
    this.limit = limitAt(at);
    this.car?.obey(this.offer);
    return this.limit.limitA !== before;
  }

  get status(): ChargePointStatus16 {
    if (this.fault !== undefined) return 'Faulted';
    if (this.transaction) return this.#chargingStatus(this.transaction);
    if (this.finishing) return 'Finishing';
    if (this.car) return this.operative ? 'Preparing' : 'Unavailable';
    if (!this.operative || this.siblingInUse) return 'Unavailable';
    if (this.pending) return 'Preparing';
    return this.reservation ? 'Reserved' : 'Available';
  }

  #chargingStatus(transaction: Transaction): ChargePointStatus16 {
    const least = this.model.kind === 'AC' ? PILOT_A_MIN : 0.1;
    if (transaction.suspended || this.limit.limitA < least) return 'SuspendedEVSE';
    return !this.car || this.car.full ? 'SuspendedEV' : 'Charging';
  }

  /** What the meter shows now, as the measurands that are wanted. */
  sample(at: number, context: string, wanted: readonly string[]): MeterValue16 {
    const all = this.#samples();
    const sampledValue = wanted
      .flatMap((name) => all[name] ?? [])
      .map((value) => ({ ...value, context }));
    return { timestamp: rfc3339(at), sampledValue };
  }

  #samples(): Readonly<Record<string, readonly SampledValue16[]>> {
    const { kind, volts } = this.model;
    const amps = (this.powerW / volts).toFixed(1);
    const current = (phase?: string): SampledValue16 => ({
      value: amps,
      measurand: 'Current.Import',
      unit: 'A',
      ...(phase && { phase }),
    });
    // 208 V line to line: the same current flows in both lines.
    const currents = kind === 'AC' ? [current('L1'), current('L2')] : [current()];
    return {
      'Energy.Active.Import.Register': [
        { value: String(this.registerWh), measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
      ],
      'Power.Active.Import': [
        { value: String(this.powerW), measurand: 'Power.Active.Import', unit: 'W' },
      ],
      'Current.Import': currents,
      Voltage: [
        {
          value: String(volts),
          measurand: 'Voltage',
          unit: 'V',
          ...(kind === 'AC' && { phase: 'L1-L2' }),
        },
      ],
      // Only a DC charger is told by the car how full it is.
      SoC:
        kind === 'DC' && this.car
          ? [
              {
                value: this.car.socPercent.toFixed(0),
                measurand: 'SoC',
                unit: 'Percent',
                location: 'EV',
              },
            ]
          : [],
    };
  }
}
