import { InvalidDecimal } from '#money';
import { InvalidCharge, InvalidTariff } from '#pricing';
import { InvalidInstant, UnknownTimeZone } from '#time';
import { RefusedInput } from './verb.ts';

/** What, where, by which rule, and what to do: one sentence or two about an input that is refused. */
export function refusalText(error: unknown): string {
  if (error instanceof RefusedInput) return closed(error.message);
  if (error instanceof InvalidCharge) {
    return closed(`${error.message} (OCPI 2.2.1 mod_cdrs). ${adviceFor(error.path)}`);
  }
  if (error instanceof InvalidTariff) {
    const what = `${error.message} (OCPI 2.2.1 mod_tariffs)`;
    return closed(`${what}. npx roamwatt lint says all that is wrong with a tariff`);
  }
  if (error instanceof UnknownTimeZone) {
    return closed(
      `time_zone: ${error.message}. Give an IANA name, such as --time-zone America/Vancouver`,
    );
  }
  if (error instanceof InvalidInstant || error instanceof InvalidDecimal) {
    return closed(error.message);
  }
  // Whatever else is in it: the inputs behind it are still to be worked on.
  const what = error instanceof Error ? error.message : String(error);
  return closed(`no price can be made of it (${what}). Look for what is far out of range in it`);
}

function adviceFor(path: string): string {
  if (path.endsWith('time_zone')) {
    return (
      'Give the zone of the Location, such as --time-zone America/Vancouver, or the Location ' +
      'itself with --location FILE'
    );
  }
  if (path.endsWith('date_time')) return 'Write it as 2022-02-01T17:00:00Z';
  if (path.endsWith('volume')) return 'Write kWh or hours as a number, such as 7.4';
  if (path.startsWith('tariffs')) return 'Give a tariff with --tariff FILE';
  return 'Mend it, or ask its sender to';
}

function closed(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
