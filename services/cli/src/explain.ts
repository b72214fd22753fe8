import { explain as explained, explanationJson, explanationText } from '#pricing';
import { CHARGE_OPTIONS, eachCharge, isCredit, POLICY_HELP, type PricedCharge } from './charges.ts';
import type { Verb } from './verb.ts';

export const explain: Verb = {
  usage: 'CDR.json… [options]',
  about: `Says how the price of a CDR or a Session came about, so that a driver can follow it: for each
period and dimension which part of the tariff applied and why the earlier ones did not, what
steps, bounds and rounding did. Reads the same files as price.

${POLICY_HELP}`,
  options: CHARGE_OPTIONS,
  examples: [
    ['npx roamwatt explain cdr.json', 'as text'],
    ['npx roamwatt explain cdr.json --time-zone Europe/Berlin --json', 'as a tree in JSON'],
  ],
  run: (given, terminal) =>
    eachCharge(given, terminal, given.flags.has('json') ? jsonLine : asText),
};

function jsonLine(charge: PricedCharge): string {
  const { at, id, priced, zone, remarks } = charge;
  return JSON.stringify({
    ...(id === undefined ? {} : { id }),
    source: at,
    ...explanationJson(explained(priced)),
    ...(zone ? { time_zone_source: zone.assumed ? `assumed: ${zone.source}` : zone.source } : {}),
    ...(isCredit(charge) ? { credit: true } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
  });
}

function asText(charge: PricedCharge): string {
  const { at, id, priced, zone, remarks } = charge;
  const heading = `${at}${id === undefined ? '' : `  ${id}`}`;
  const why = zone?.assumed ? `The time zone is assumed: ${zone.source}.\n` : '';
  const left = remarks.map(({ path, why: reason }) => `Note: ${path}: ${reason}.\n`).join('');
  const back = isCredit(charge) ? 'A Credit CDR: this is taken back, so its own total_cost is negative.\n' : '';
  return `${heading}\n${explanationText(explained(priced))}${back}${why}${left}`;
}
