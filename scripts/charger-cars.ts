/**
 * Cars as a charger meets them: how much they take, how fast they get there, and how they slow
 * down.
 * Figures are those of the makers' data sheets, rounded; the curves are drawn by hand from
 * published charts.
 */
export type Inlet = 'J1772' | 'CCS1' | 'CHADEMO';

export interface Car {
  readonly title: string;
  readonly packWh: number;
  /** State of charge on arrival unless the plug-in says otherwise, percent. */
  readonly socPercent: number;
  readonly inlets: readonly Inlet[];
  readonly acWMax: number;
  /** How fast the on-board charger ramps up. */
  readonly acRampWPerS: number;
  /** [state of charge in percent, W the battery takes], straight lines between. */
  readonly acCurve: readonly (readonly [number, number])[];
  readonly dcCurve: readonly (readonly [number, number])[];
  /**
   * Of the energy metered, how much ends in the battery: on-board charger and cable take the rest.
   */
  readonly acEfficiency: number;
}

/** Constant power, then a taper near full: the shape of every on-board charger. */
function acTaper(wMax: number): readonly (readonly [number, number])[] {
  return [
    [0, wMax],
    [93, wMax],
    [97, wMax * 0.55],
    [99.5, wMax * 0.18],
    [100, 0],
  ];
}

export const cars = {
  leaf: {
    title: 'Nissan Leaf 40 kWh',
    packWh: 40_000,
    socPercent: 35,
    inlets: ['J1772', 'CHADEMO'],
    acWMax: 6_600,
    acRampWPerS: 900,
    acCurve: acTaper(6_600),
    dcCurve: [
      [0, 44_000],
      [50, 45_000],
      [60, 38_000],
      [80, 20_000],
      [95, 6_000],
      [100, 0],
    ],
    acEfficiency: 0.88,
  },
  bolt: {
    title: 'Chevrolet Bolt 66 kWh',
    packWh: 66_000,
    socPercent: 40,
    inlets: ['J1772', 'CCS1'],
    acWMax: 7_200,
    acRampWPerS: 1_200,
    acCurve: acTaper(7_200),
    dcCurve: [
      [0, 50_000],
      [50, 52_000],
      [55, 38_000],
      [70, 24_000],
      [85, 15_000],
      [100, 0],
    ],
    acEfficiency: 0.9,
  },
  kona: {
    title: 'Hyundai Kona 64 kWh',
    packWh: 64_000,
    socPercent: 45,
    inlets: ['J1772', 'CCS1'],
    acWMax: 7_200,
    acRampWPerS: 1_500,
    acCurve: acTaper(7_200),
    dcCurve: [
      [0, 60_000],
      [40, 72_000],
      [58, 56_000],
      [75, 36_000],
      [90, 12_000],
      [100, 0],
    ],
    acEfficiency: 0.9,
  },
  'model-3': {
    title: 'Tesla Model 3 57 kWh, with J1772 and CCS1 adapters',
    packWh: 57_500,
    socPercent: 50,
    inlets: ['J1772', 'CCS1'],
    acWMax: 7_600,
    acRampWPerS: 2_000,
    acCurve: acTaper(7_600),
    dcCurve: [
      [0, 120_000],
      [30, 110_000],
      [60, 62_000],
      [80, 36_000],
      [95, 10_000],
      [100, 0],
    ],
    acEfficiency: 0.91,
  },
  outlander: {
    title: 'Mitsubishi Outlander PHEV 12 kWh',
    packWh: 12_000,
    socPercent: 20,
    inlets: ['J1772', 'CHADEMO'],
    acWMax: 3_300,
    acRampWPerS: 800,
    acCurve: acTaper(3_300),
    dcCurve: [
      [0, 22_000],
      [50, 20_000],
      [80, 9_000],
      [95, 2_000],
      [100, 0],
    ],
    acEfficiency: 0.86,
  },
} as const satisfies Record<string, Car>;

export type CarName = keyof typeof cars;

export function isCarName(name: string): name is CarName {
  return Object.hasOwn(cars, name);
}

/** What the station lets a car have, at one instant. */
export interface Offer {
  readonly kind: 'AC' | 'DC';
  /** Current of the pilot (AC) or the charger's input (DC), A per line. */
  readonly limitA: number;
  readonly wattsPerAmp: number;
}

/** J1772: a pilot below 6 A does not exist, the car then takes nothing. */
export const PILOT_A_MIN = 6;
/** Between the plug's click and the first ampere: contactor, isolation test. */
const WAKE_UP_S = { AC: 3, DC: 12 } as const;
const DC_RAMP_W_PER_S = 8_000;
/** What load and meter wobble, at most; always below what is offered. */
const NOISE = 0.012;

/**
 * One car on one cable. Steps are whole seconds of platform time, so that a run repeats exactly.
 */
export class PluggedCar {
  readonly name: CarName;
  readonly car: Car;
  readonly #seed: number;
  #batteryMj: number;
  #steps = 0;
  #awakeS = 0;
  #rampedW = 0;
  powerW = 0;

  constructor(name: CarName, socPercent: number | undefined, seed: number) {
    this.name = name;
    this.car = cars[name];
    this.#seed = seed;
    const soc = Math.min(100, Math.max(0, socPercent ?? this.car.socPercent));
    this.#batteryMj = Math.round(this.car.packWh * soc * 36_000);
  }

  get socPercent(): number {
    return Math.min(100, this.#batteryMj / (this.car.packWh * 36_000));
  }

  get full(): boolean {
    return this.socPercent >= 99.95;
  }

  /** The next second under this offer, `undefined` = not energised: W drawn, a whole number. */
  step(offer: Offer | undefined): number {
    this.#steps++;
    const wantedW = offer ? this.#wantedW(offer) : 0;
    if (!offer || wantedW <= 0) {
      this.#awakeS = 0;
      this.#rampedW = 0;
      return (this.powerW = 0);
    }
    this.#awakeS++;
    if (this.#awakeS <= WAKE_UP_S[offer.kind]) return (this.powerW = 0);
    const rampWPerS = offer.kind === 'AC' ? this.car.acRampWPerS : DC_RAMP_W_PER_S;
    // Down at once, up by the ramp.
    this.#rampedW = Math.min(wantedW, this.#rampedW + rampWPerS);
    this.powerW = Math.floor(this.#rampedW * (1 - NOISE * noise(this.#seed, this.#steps)));
    const kept = offer.kind === 'AC' ? this.car.acEfficiency : 0.97;
    this.#batteryMj = Math.min(
      this.car.packWh * 3_600_000,
      this.#batteryMj + this.powerW * 1_000 * kept,
    );
    return this.powerW;
  }

  /** A lower limit counts from the instant it is told. */
  obey(offer: Offer | undefined): void {
    const wantedW = offer ? this.#wantedW(offer) : 0;
    this.#rampedW = Math.min(this.#rampedW, wantedW);
    this.powerW = Math.min(this.powerW, Math.floor(wantedW));
  }

  #wantedW({ kind, limitA, wattsPerAmp }: Offer): number {
    if (this.full || (kind === 'AC' && limitA < PILOT_A_MIN)) return 0;
    const takesW = between(kind === 'AC' ? this.car.acCurve : this.car.dcCurve, this.socPercent);
    const carW = kind === 'AC' ? Math.min(takesW, this.car.acWMax) : takesW;
    return Math.min(limitA * wattsPerAmp, carW);
  }
}

function between(curve: readonly (readonly [number, number])[], at: number): number {
  for (let i = 1; i < curve.length; i++) {
    const [x1, y1] = curve[i]!;
    const [x0, y0] = curve[i - 1]!;
    if (at <= x1) return y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
  }
  return curve.at(-1)?.[1] ?? 0;
}

/** 0..1, the same for the same seed and step. */
function noise(seed: number, step: number): number {
  let x = Math.imul(seed ^ Math.imul(step, 0x9e3779b1), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 0x1_0000_0000;
}
