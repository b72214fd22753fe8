import { english as englishTariff, EXPLAIN_WORDS, type ExplainLanguage, french as frenchTariff, type Language, type NoteCode } from '#pricing';

/** How one language says what a charge costs. */
export interface CostWords {
  readonly tariff: Language;
  /** How it writes the digits of a number. */
  readonly number: (digits: string) => string;
  readonly colon: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Of a reservation. */
  readonly reserved: Readonly<Record<string, string>>;
  readonly columns: readonly [billed: string, price: string, tax: string, before: string, after: string];
  readonly once: string;
  readonly bounds: { readonly min_price: string; readonly max_price: string };
  readonly toPay: string;
  readonly takenBack: string;
  readonly unrounded: string;
  readonly to: string;
  readonly notInForce: string;
  readonly notInForceThen: string;
  readonly anotherTime: string;
  readonly cheapest: string;
  /** Before an amount. */
  readonly withTax: string;
  readonly localTimes: (zone: string, source: string) => string;
  /** Of the total_cost that an object has itself. */
  readonly differs: (amount: string) => string;
  readonly note: string;
  readonly notes: Readonly<Record<NoteCode, string>>;
}

const english: CostWords = {
  tariff: englishTariff,
  number: (digits) => digits,
  colon: ':',
  dimensions: { ENERGY: 'Energy', TIME: 'Charging time', PARKING_TIME: 'Parking time', FLAT: 'Fee' },
  reserved: { TIME: 'Reservation time', FLAT: 'Reservation fee' },
  columns: ['billed', 'price', 'tax', 'before tax', 'with tax'],
  once: 'once',
  bounds: { min_price: 'Least price of the tariff', max_price: 'Highest price of the tariff' },
  toPay: 'To pay',
  takenBack: 'Taken back',
  unrounded: 'Unrounded',
  to: 'to',
  notInForce: 'not in force',
  notInForceThen: 'the tariff is not in force then',
  anotherTime: 'Begun at another time',
  cheapest: 'Cheapest',
  withTax: 'with tax',
  localTimes: (zone, source) => `Local times are those of ${zone} (${source}).`,
  differs: (amount) => `It says itself ${amount}: that differs.`,
  note: 'Note',
  notes: EXPLAIN_WORDS.en.notes,
};

/** Canadian French. */
const french: CostWords = {
  tariff: frenchTariff,
  number: frenchTariff.number,
  colon: '\u00a0:',
  dimensions: {
    ENERGY: 'Énergie',
    TIME: 'Temps de recharge',
    PARKING_TIME: 'Temps de stationnement',
    FLAT: 'Frais',
  },
  reserved: { TIME: 'Temps de réservation', FLAT: 'Frais de réservation' },
  columns: ['facturé', 'prix', 'taxes', 'avant taxes', 'taxes comprises'],
  once: 'une fois',
  bounds: { min_price: 'Prix minimal du tarif', max_price: 'Prix maximal du tarif' },
  toPay: 'À payer',
  takenBack: 'Remboursé',
  unrounded: 'Avant arrondi',
  to: 'à',
  notInForce: 'pas en vigueur',
  notInForceThen: 'le tarif n’est pas en vigueur à ce moment',
  anotherTime: 'À un autre moment',
  cheapest: 'Le moins cher',
  withTax: 'taxes comprises',
  localTimes: (zone, source) => `Les heures locales sont celles de ${zone} (${source}).`,
  differs: (amount) => `Il dit lui-même ${amount}\u00a0: c’est un autre montant.`,
  note: 'Remarque',
  notes: EXPLAIN_WORDS.fr.notes,
};

export const COST_WORDS: Readonly<Record<ExplainLanguage, CostWords>> = { en: english, fr: french };
