import { english as englishTariff, french as frenchTariff, type Language, type NoteCode, NOTES } from '#pricing';

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
  readonly note: string;
  readonly notes: Readonly<Record<NoteCode, string>>;
}

export const english: CostWords = {
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
  note: 'Note',
  notes: NOTES,
};

/** Canadian French. */
export const french: CostWords = {
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
  note: 'Remarque',
  notes: {
    'start-unknown': 'le début de la session est inconnu; celui de sa première période en tient lieu',
    'end-unknown': 'la fin de la session est inconnue; ses durées en tiennent lieu',
    'periods-reordered': 'les périodes n’étaient pas en ordre et ont été triées',
    'period-outside-session': 'elle est hors de la session',
    'period-names-unlisted-tariff': 'son tarif n’est pas parmi ceux donnés',
    'period-names-no-tariff': 'elle ne nomme aucun tarif alors que d’autres le font',
    'tariff-outside-its-validity': 'aucun tarif n’était en vigueur au début; le premier est appliqué',
    'tariff-in-another-currency': 'son tarif est dans une autre monnaie',
    'currency-unknown': 'la monnaie est inconnue; deux décimales sont supposées',
    'time-differs-from-timestamps': 'ses heures diffèrent de ses horodatages; les heures sont facturées',
    'negative-energy': 'de l’énergie a été rendue',
    'level-unknown': 'le tarif dépend d’un courant ou d’une puissance que personne n’a dits',
    'reservation-outcome-inferred': 'l’usage de la réservation est déduit de ce qui a suivi',
    'period-spans-price-change': 'le prix y change; le prix de son début est appliqué',
  },
};
