import type { ExplainWords } from './explain-words.ts';
import { clock, DAYS, french as tariff, NO_BREAK } from './sentence-french.ts';

const OR = new Intl.ListFormat('fr', { type: 'disjunction' });
const PARTS = {
  ENERGY: 'l’énergie', TIME: 'le temps de recharge', PARKING_TIME: 'le temps de stationnement', FLAT: 'le montant fixe',
};

const only = (what: string) => (asks: string, was: string) => `seulement ${what}${asks} (ici${NO_BREAK}: ${was})`;
const level = (what: string) => only(`à ${what}`);

/** Canadian French. */
export const french: ExplainWords = {
  number: tariff.number,
  money: tariff.money,
  colon: `${NO_BREAK}:`,
  span: (from, to) => `${from} à ${to}`,
  noTariff: 'aucun tarif ne s’applique',
  nothingToPrice: 'rien à facturer',
  dimensions: {
    ENERGY: 'Énergie', TIME: 'Temps de recharge', PARKING_TIME: 'Temps de stationnement', FLAT: 'Frais',
  },
  reserved: { TIME: 'Temps de réservation', FLAT: 'Frais de réservation' },
  at: {
    ENERGY: (price) => ` à ${price} le kWh`,
    TIME: (price) => ` à ${price} l’heure`,
    PARKING_TIME: (price) => ` à ${price} l’heure`,
    FLAT: (price) => ` de ${price}`,
  },
  tax: (percent) => `${percent}${NO_BREAK}% de taxes`,
  andTax: (tax) => ` plus ${tax}`,
  ofPart: (part) => ` (partie ${part} du tarif)`,
  noPart: 'aucune partie du tarif n’en fixe le prix',
  withTax: (before, after) => `${before}, taxes comprises ${after}`,
  passedOver: (part, why) => `La partie ${part} ne s’applique pas${NO_BREAK}: ${why}`,
  forReservations: 'elle vaut pour les réservations',
  notForThisReservation: 'elle ne vaut pas pour cette réservation',
  restricted: {
    'start_time/end_time': only(''),
    start_date: only(''),
    end_date: only(''),
    day_of_week: only(''),
    min_kwh: only('quand la séance a fourni '),
    max_kwh: only('tant que la séance a fourni '),
    min_current: level('un courant d’'),
    max_current: level('un courant de '),
    min_power: level('une puissance d’'),
    max_power: level('une puissance de '),
    min_duration: only('quand la séance a duré '),
    max_duration: only('tant que la séance a duré '),
  },
  times: tariff.times,
  clock,
  dates: { start_date: (day) => `à partir du ${day}`, end_date: (day) => `avant le ${day}` },
  days: (days) => OR.format(days.map((day) => `le ${DAYS[day]}`)),
  day: (day) => DAYS[day]!,
  atLeast: (quantity) => `au moins ${quantity}`,
  lessThan: (quantity) => `moins de ${quantity}`,
  unknown: 'valeur inconnue',
  step: ({ dimension, reservation }, { size, used, billed, surplus }) => {
    const what = reservation && dimension === 'TIME' ? 'le temps de réservation' : PARTS[dimension];
    return `Facturé par tranches de ${size}${NO_BREAK}: ${what} passe de ${used} à ${billed}, ce qui ajoute ${surplus}`;
  },
  sum: 'Somme',
  bound: ({ by, side }, { change, to, from }) => {
    const price = `prix ${by === 'min_price' ? 'minimal' : 'maximal'} du tarif ${side === 'excl_vat' ? 'avant taxes' : 'taxes comprises'}`;
    return `Le ${price} s’applique${NO_BREAK}: ${change}, soit ${to} au lieu de ${from}`;
  },
  toPay: 'À payer',
  rounded: {
    'half-away-from-zero': 'arrondi au plus proche, la demie en s’éloignant de zéro',
    'half-even': 'arrondi au plus proche, la demie au chiffre pair',
    'away-from-zero': 'arrondi en s’éloignant de zéro',
    'toward-zero': 'arrondi vers zéro',
    ceiling: 'arrondi vers le haut',
    floor: 'arrondi vers le bas',
  },
  note: (period) => (period === undefined ? 'Remarque' : `Remarque sur la période ${period}`),
  notes: {
    'start-unknown': 'le début de la séance est inconnu; celui de sa première période en tient lieu',
    'end-unknown': 'la fin de la séance est inconnue; ses durées en tiennent lieu',
    'periods-reordered': 'les périodes n’étaient pas en ordre et ont été triées',
    'period-outside-session': 'elle est hors de la séance',
    'period-names-unlisted-tariff': 'son tarif n’est pas parmi ceux donnés',
    'period-names-no-tariff': 'elle ne nomme aucun tarif alors que d’autres le font',
    'tariff-outside-its-validity': 'aucun tarif n’était en vigueur au début; le premier est appliqué',
    'tariff-in-another-currency': 'son tarif est dans une autre devise',
    'currency-unknown': 'la devise est inconnue; deux décimales sont supposées',
    'time-differs-from-timestamps': 'ses heures diffèrent de ses horodatages; les heures sont facturées',
    'negative-energy': 'de l’énergie a été rendue',
    'level-unknown': 'le tarif dépend d’un courant ou d’une puissance que personne n’a dits',
    'step-negative': 'un step_size inférieur à zéro n’arrondit rien',
    'bounds-contradict': 'le prix minimal du tarif dépasse son prix maximal: ce qui coûte plus que le maximum y est ramené, le reste est porté au minimum',
    'reservation-outcome-inferred': 'l’usage de la réservation est déduit de ce qui a suivi',
    'period-spans-price-change': 'le prix y change; le prix de son début est appliqué',
  },
};
