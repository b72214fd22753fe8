import type { Connector, EnergyMix, Hours, Location } from './locations.ts';

/** What a Location says that OCPI 2.2.1 does not allow, though each field by itself is right. */
export interface LocationFault {
  /** The project's id of the rule: LOC-08. */
  readonly rule: string;
  /** `opening_times.regular_hours[2]`. */
  readonly at: string;
  readonly what: string;
}

/**
 * Rules over several fields of a Location. A partner's is taken all the same, for what is wrong costs
 * nobody a charge; our own should have none of them.
 */
export function locationFaults(location: Location): LocationFault[] {
  return [
    ...visibility(location),
    ...hours(location.opening_times),
    ...mix(location.energy_mix),
    ...(location.evses ?? []).flatMap(({ connectors }, i) => connectors.flatMap((connector, j) =>
      power(connector).map((what) => ({ rule: 'LOC-12', at: `evses[${i}].connectors[${j}].max_electric_power`, what })))),
  ];
}

function visibility({ publish, publish_allowed_to }: Location): LocationFault[] {
  if (!publish || !publish_allowed_to?.length) return [];
  return [{ rule: 'LOC-06', at: 'publish_allowed_to', what: 'is only for a Location that is not published' }];
}

function hours(opening: Hours | undefined): LocationFault[] {
  if (!opening) return [];
  const { twentyfourseven, regular_hours = [] } = opening;
  const fault = (at: string, what: string): LocationFault => ({ rule: 'LOC-08', at: `opening_times.${at}`, what });
  const backwards = regular_hours.flatMap(({ period_begin, period_end }, i) => (period_end > period_begin
    ? []
    : [fault(`regular_hours[${i}]`, `ends at ${period_end}, which is not after ${period_begin}`)]));
  if (twentyfourseven && regular_hours.length > 0) return [fault('regular_hours', 'are only for what is not open all day'), ...backwards];
  if (!twentyfourseven && regular_hours.length === 0) return [fault('regular_hours', 'are required where it is not open all day')];
  return backwards;
}

function mix(energy: EnergyMix | undefined): LocationFault[] {
  const sources = energy?.energy_sources ?? [];
  if (sources.length === 0) return [];
  const hundredths = sources.reduce((sum, { percentage }) => sum + Math.round(percentage * 100), 0);
  // Each may be rounded to a whole one.
  if (Math.abs(hundredths - 10_000) <= 50 * (sources.length - 1)) return [];
  return [{ rule: 'LOC-14', at: 'energy_mix.energy_sources', what: `add up to ${hundredths / 100} %, not to 100 %` }];
}

/** Phases that carry max_amperage; the voltage of three phases is that to neutral. */
const phases: Readonly<Record<Connector['power_type'], number>> = {
  AC_1_PHASE: 1, AC_2_PHASE: 2, AC_2_PHASE_SPLIT: 2, AC_3_PHASE: 3, DC: 1,
};

/** A plug of 230 V and 32 A is said to give 7.4 kW by everybody. */
const ROUNDED = 1.05;

function power({ power_type, max_voltage, max_amperage, max_electric_power }: Connector): string[] {
  const most = max_voltage * max_amperage * phases[power_type];
  if (max_electric_power === undefined || max_electric_power <= most * ROUNDED) return [];
  return [`is ${max_electric_power} W, more than ${max_voltage} V and ${max_amperage} A give`];
}
