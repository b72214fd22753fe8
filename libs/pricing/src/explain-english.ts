import type { ExplainWords } from './explain-words.ts';
import { WEEKDAYS } from './restriction.ts';

const NAMES = { ENERGY: 'Energy', TIME: 'Charging time', PARKING_TIME: 'Parking time', FLAT: 'Fee' };
const RESERVED = { TIME: 'Reservation time', FLAT: 'Reservation fee' };

const only = (what: string) => (asks: string, was: string) => `only ${what}${asks}, and it was ${was}`;
const level = (what: string) => only(`with a ${what} of `);

export const english: ExplainWords = {
  number: (digits) => digits,
  money: (number, currency) => `${number} ${currency}`,
  colon: ':',
  span: (from, to) => `${from} to ${to}`,
  noTariff: 'no tariff applies',
  nothingToPrice: 'nothing to price',
  dimensions: NAMES,
  reserved: RESERVED,
  at: {
    ENERGY: (price) => ` at ${price} per kWh`,
    TIME: (price) => ` at ${price} per hour`,
    PARKING_TIME: (price) => ` at ${price} per hour`,
    FLAT: (price) => ` at ${price}`,
  },
  tax: (percent) => `${percent} % tax`,
  andTax: (tax) => ` and ${tax}`,
  ofPart: (part) => ` (part ${part} of the tariff)`,
  noPart: 'no part of the tariff prices it',
  withTax: (before, after) => `${before}, with tax ${after}`,
  passedOver: (part, why) => `Part ${part} does not apply: ${why}`,
  forReservations: 'it is for reservations',
  notForThisReservation: 'it is not for this reservation',
  restricted: {
    'start_time/end_time': only('at '),
    start_date: only(''),
    end_date: only(''),
    day_of_week: only('on '),
    min_kwh: only('once the session has '),
    max_kwh: only('while the session has '),
    min_current: level('current'),
    max_current: level('current'),
    min_power: level('power'),
    max_power: level('power'),
    min_duration: only('once the session lasts '),
    max_duration: only('while the session lasts '),
  },
  times: (from, to) => `${from}–${to}`,
  clock: (time) => time,
  dates: { start_date: (day) => `from ${day}`, end_date: (day) => `before ${day}` },
  days: (days) => days.map((day) => WEEKDAYS[day]).join(', '),
  day: (day) => WEEKDAYS[day]!,
  atLeast: (quantity) => `at least ${quantity}`,
  lessThan: (quantity) => `less than ${quantity}`,
  unknown: 'unknown',
  step: ({ dimension, reservation }, { size, used, billed, surplus }) => {
    const name = reservation && dimension === 'TIME' ? RESERVED.TIME : NAMES[dimension];
    return `Billed in steps of ${size}: ${name.toLowerCase()} ${used} becomes ${billed}, which adds ${surplus}`;
  },
  sum: 'Sum',
  bound: ({ by, side }, { change, to, from }) => {
    const price = `${by === 'min_price' ? 'least' : 'highest'} price ${side === 'excl_vat' ? 'before tax' : 'with tax'}`;
    return `The tariff’s ${price} holds: ${change}, ${to} and not ${from}`;
  },
  toPay: 'To pay',
  rounded: {
    'half-away-from-zero': 'rounded half away from zero',
    'half-even': 'rounded half even',
    'away-from-zero': 'rounded away from zero',
    'toward-zero': 'rounded toward zero',
    ceiling: 'rounded ceiling',
    floor: 'rounded floor',
  },
  note: (period) => (period === undefined ? 'Note' : `Note on period ${period}`),
  notes: {
    'start-unknown': 'when the session started is unknown; its first period is taken for it',
    'end-unknown': 'when the session ended is unknown; it is taken to last as long as its volumes',
    'periods-reordered': 'the periods came out of order and were sorted',
    'period-outside-session': 'it lies outside the session’s start and end',
    'period-names-unlisted-tariff': 'its tariff is not among the tariffs given',
    'period-names-no-tariff': 'it names no tariff while others do',
    'tariff-outside-its-validity': 'no tariff was valid at the start; the first one is used',
    'tariff-in-another-currency': 'its tariff is in another currency',
    'currency-unknown': 'the currency is unknown; two decimals are assumed',
    'time-differs-from-timestamps': 'its hours differ from its timestamps; the hours are billed',
    'negative-energy': 'energy flowed back',
    'level-unknown': 'the tariff asks for a current or a power that nobody told',
    'step-negative': 'a step_size below zero rounds nothing',
    'bounds-contradict': 'the tariff’s least price is above its highest one: what costs more than the highest is lowered to it, the rest is raised to the least',
    'reservation-outcome-inferred': 'whether the reservation was used is inferred from what followed',
    'period-spans-price-change': 'the price changes within it; it is priced as it began',
  },
};
