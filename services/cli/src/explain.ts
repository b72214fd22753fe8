import { type ExplainLanguage, explain as explained, explanationJson, explanationText } from '#pricing';
import { CHARGE_OPTIONS, eachCharge, isCredit, POLICY_HELP, type PricedCharge } from './charges.ts';
import { givenLanguage } from './language.ts';
import type { Verb } from './verb.ts';
import { zoneJson } from './zone-words.ts';

export const explain: Verb = {
  usage: 'CDR.json… [options]',
  about: `Says how the price of a CDR or a Session came about, so that a driver can follow it: for each
period and dimension which part of the tariff applied and why the earlier ones did not, what
steps, bounds and rounding did. Reads the same files as price.

${POLICY_HELP}`,
  options: CHARGE_OPTIONS,
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

function jsonLine(charge: PricedCharge, language: ExplainLanguage): string {
  const { at, id, priced, zone, remarks } = charge;
  return JSON.stringify({
    ...(id === undefined ? {} : { id }),
    source: at,
    ...explanationJson(explained(priced, language)),
    ...(zone ? zoneJson(zone, language) : {}),
    ...(isCredit(charge) ? { credit: true } : {}),
    ...(remarks.length > 0 ? { remarks: remarks.map((one) => ({ ...one, why: one.why[language] })) } : {}),
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

function asText(charge: PricedCharge, language: ExplainLanguage): string {
  const { at, id, priced, zone, remarks } = charge;
  const words = READING[language];
  const heading = `${at}${id === undefined ? '' : `  ${id}`}`;
  const why = zone?.assumed ? `${words.zone}${zone.source[language]}.\n` : '';
  const left = remarks.map(({ path, why: reason }) => `${words.note}${path}: ${reason[language]}.\n`).join('');
  const back = isCredit(charge) ? `${words.credit}\n` : '';
  return `${heading}\n${explanationText(explained(priced, language))}${back}${why}${left}`;
}
