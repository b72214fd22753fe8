import type { Inlet } from './charger-cars.ts';

/** What kinds of station there are, in the values of the North American sites. */
export interface StationModel {
  readonly title: string;
  readonly vendor: string;
  readonly model: string;
  readonly kind: 'AC' | 'DC';
  readonly connectors: readonly Inlet[];
  /** What the hardware gives, A per line of its supply. */
  readonly hardwareA: number;
  /** W for one A of a charging profile on this supply (S16-96: A per phase, W over all phases). */
  readonly wattsPerAmp: number;
  readonly volts: number;
  /**
   * Several cables on one power module: only one is used at a time, the others say Unavailable
   * (M-02).
   */
  readonly sharesPower: boolean;
}

export const models = {
  level2: {
    title: 'Level 2, one J1772 cable, 208 V line to line, 32 A',
    vendor: 'Roamwatt',
    model: 'L2-32',
    kind: 'AC',
    connectors: ['J1772'],
    hardwareA: 32,
    wattsPerAmp: 208,
    volts: 208,
    sharesPower: false,
  },
  dcfc: {
    title: 'DC fast charger, 50 kW on 480 V three-phase, CCS1 and CHAdeMO on one power module',
    vendor: 'Roamwatt',
    model: 'DC-50',
    kind: 'DC',
    connectors: ['CCS1', 'CHADEMO'],
    // 50 kW / (√3 × 480 V)
    hardwareA: 60.1,
    wattsPerAmp: 831.4,
    volts: 370,
    sharesPower: true,
  },
} as const satisfies Record<string, StationModel>;

export type ModelName = keyof typeof models;

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(models, name);
}
