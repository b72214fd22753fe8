import { type ExplainLanguage, french } from '#pricing';
import type { Finding } from './finding.ts';
import { FRENCH_TAXES, frenchFinding } from './finding-french.ts';
import type { Exception } from './plan.ts';

/** What is said of a plan, its prices and a CDR's, in a language. Amounts and percents are decimal texts, already in its digits. */
export interface PlanWords {
  number(digits: string): string;
  money(number: string, currency: string): string;
  percent(number: string): string;
  readonly units: { readonly session: string; readonly kwh: string; readonly hour: string };
  readonly and: string;
  readonly asCharged: string;
  ofIt(percent: string): string;
  onTop(prices: string, tax: string): string;
  flat(prices: string, tax: string): string;
  readonly plusTax: string;
  byPlan(total: string, plan: string, why: string): string;
  readonly exceptions: Readonly<Record<Exception, string>>;
  aSession(amount: string): string;
  /** Where it is another than its code. */
  readonly taxNames: Readonly<Record<string, string>>;
  placeTax(taxes: string, count: number): string;
  paidBack(receipt: string): string;
  /** Of how the price of a CDR came about. */
  readonly explained: {
    tax(code: string, percent: string): string;
    credited(cdr: string): string;
    found(finding: Finding): string;
    notPriceable(why: { readonly path: string; readonly message: string }): string;
  };
}

const NO_BREAK = '\u00a0';

export const WORDS: Readonly<Record<ExplainLanguage, PlanWords>> = {
  en: {
    number: (digits) => digits,
    money: (number, currency) => `${number} ${currency}`,
    percent: (number) => `${number} %`,
    units: { session: 'a session', kwh: 'a kWh', hour: 'an hour' },
    and: ' and ',
    asCharged: 'You pay what the charge costs there.',
    ofIt: (percent) => `${percent} of it`,
    onTop: (prices, tax) => `You pay what the charge costs there, and ${prices} on top${tax}.`,
    flat: (prices, tax) => `You pay ${prices}, wherever you charge${tax}.`,
    plusTax: ', plus the tax of the place',
    byPlan: (total, plan, why) => `${total} by your plan ${plan}. ${why}`,
    exceptions: {
      'own-station': 'At our own stations you pay what the tariff there says.',
      'nothing-charged': 'No energy was drawn and nothing is asked for it, so the plan asks for nothing.',
      'paid-back': 'It pays back what was charged before.',
      'no-price-in-currency': 'The plan has no price in this currency: you pay what the charge costs there.',
    },
    aSession: (amount) => `A session: ${amount}`,
    taxNames: {},
    placeTax: (taxes, count) => (count > 1 ? `The taxes of the place are ${taxes}.` : `The tax of the place is ${taxes}.`),
    paidBack: (receipt) => `Paid back, of receipt ${receipt}.`,
    explained: {
      tax: (code, percent) => `${percent} ${code}`,
      credited: (cdr) => `Paid back, of CDR ${cdr}:`,
      found: ({ code, detail }) => `Found: ${detail} (${code}).`,
      notPriceable: ({ message }) => `It cannot be priced: ${message}.`,
    },
  },
  fr: {
    number: french.number,
    money: french.money,
    percent: (number) => `${number}${NO_BREAK}%`,
    units: { session: 'la séance', kwh: 'le kWh', hour: 'l’heure' },
    and: ' et ',
    asCharged: 'Vous payez ce que la recharge coûte sur place.',
    ofIt: (percent) => `${percent} de ce prix`,
    onTop: (prices, tax) => `Vous payez ce que la recharge coûte sur place, plus ${prices}${tax}.`,
    flat: (prices, tax) => `Vous payez ${prices}, où que vous rechargiez${tax}.`,
    plusTax: ', taxes du lieu en sus',
    byPlan: (total, plan, why) => `${total} selon votre forfait ${plan}. ${why}`,
    exceptions: {
      'own-station': 'À nos propres bornes, vous payez ce que dit le tarif affiché.',
      'nothing-charged': `Aucune énergie n’a été prise et rien n’est demandé${NO_BREAK}: le forfait ne demande rien.`,
      'paid-back': 'Ce montant rembourse ce qui avait été facturé.',
      'no-price-in-currency': `Le forfait n’a pas de prix dans cette devise${NO_BREAK}: vous payez ce que la recharge coûte sur place.`,
    },
    aSession: (amount) => `La séance${NO_BREAK}: ${amount}`,
    taxNames: FRENCH_TAXES,
    placeTax: (taxes, count) => `${count > 1 ? 'Taxes' : 'Taxe'} du lieu${NO_BREAK}: ${taxes}.`,
    paidBack: (receipt) => `Remboursement du reçu ${receipt}.`,
    explained: {
      tax: (code, percent) => `${percent} de ${code}`,
      credited: (cdr) => `Remboursement du CDR ${cdr}${NO_BREAK}:`,
      found: (finding) => `Constat${NO_BREAK}: ${frenchFinding(finding)} (${finding.code}).`,
      notPriceable: ({ path }) => `Le prix ne peut pas être calculé${NO_BREAK}: ${path} n’est pas valable.`,
    },
  },
};

/** English for those that are not spoken here. */
export const planLanguage = (text: string): ExplainLanguage => (text === 'fr' ? 'fr' : 'en');
