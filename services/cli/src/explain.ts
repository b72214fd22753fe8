import { explain as explained, explanationText } from '#pricing';
import { CHARGE_OPTIONS, eachCharge, POLICY_HELP, type PricedCharge } from './charges.ts';
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

function jsonLine({ at, id, priced, zone, remarks }: PricedCharge): string {
  return JSON.stringify({
    ...(id === undefined ? {} : { id }),
    source: at,
    ...explained(priced),
    ...(zone ? { timeZoneSource: zone.assumed ? `assumed: ${zone.source}` : zone.source } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
  });
}

function asText({ at, id, priced, zone, remarks }: PricedCharge): string {
  const heading = `${at}${id === undefined ? '' : `  ${id}`}`;
  const why = zone?.assumed ? `The time zone is assumed: ${zone.source}.\n` : '';
  const left = remarks.map(({ path, why: reason }) => `Note: ${path}: ${reason}.\n`).join('');
  return `${heading}\n${explanationText(explained(priced))}${why}${left}`;
}
