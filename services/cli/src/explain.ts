import { explain as explained, explanationJson, explanationText } from '#pricing';
import { CHARGE_OPTIONS, eachCharge, isCredit, POLICY_HELP, type PricedCharge } from './charges.ts';
import { givenLanguage, type Language, LANGUAGE_OPTION } from './language.ts';
import type { Verb } from './verb.ts';

export const explain: Verb = {
  usage: 'CDR.json… [options]',
  about: `Says how the price of a CDR or a Session came about, so that a driver can follow it: for each
period and dimension which part of the tariff applied and why the earlier ones did not, what
steps, bounds and rounding did. Reads the same files as price.

${POLICY_HELP}`,
  options: { ...CHARGE_OPTIONS, language: LANGUAGE_OPTION },
  examples: [
    ['npx roamwatt explain cdr.json', 'as text'],
    ['npx roamwatt explain cdr.json --language fr', 'as text in French'],
    ['npx roamwatt explain cdr.json --time-zone Europe/Berlin --json', 'as a tree in JSON'],
  ],
  run: async (given, terminal) => {
    const language = givenLanguage(given);
    const show = given.flags.has('json') ? jsonLine : asText;
    return eachCharge(given, terminal, (charge) => show(charge, language));
  },
};

function jsonLine(charge: PricedCharge, language: Language): string {
  const { at, id, priced, zone, remarks } = charge;
  return JSON.stringify({
    ...(id === undefined ? {} : { id }),
    source: at,
    ...explanationJson(explained(priced, language)),
    ...(zone ? { time_zone_source: zone.assumed ? `assumed: ${zone.source}` : zone.source } : {}),
    ...(isCredit(charge) ? { credit: true } : {}),
    ...(remarks.length > 0 ? { remarks } : {}),
  });
}

/** What is said of how a file was read. */
const READING = {
  en: {
    zone: 'The time zone is assumed: ', note: 'Note: ',
    credit: 'A Credit CDR: this is taken back, so its own total_cost is negative.',
  },
  fr: {
    zone: 'Le fuseau horaire est supposé\u00a0: ', note: 'Remarque\u00a0: ',
    credit: 'CDR de crédit\u00a0: ce montant est remboursé, son total_cost est donc négatif.',
  },
};

function asText(charge: PricedCharge, language: Language): string {
  const { at, id, priced, zone, remarks } = charge;
  const words = READING[language];
  const heading = `${at}${id === undefined ? '' : `  ${id}`}`;
  const why = zone?.assumed ? `${words.zone}${zone.source}.\n` : '';
  const left = remarks.map(({ path, why: reason }) => `${words.note}${path}: ${reason}.\n`).join('');
  const back = isCredit(charge) ? `${words.credit}\n` : '';
  return `${heading}\n${explanationText(explained(priced, language))}${back}${why}${left}`;
}
