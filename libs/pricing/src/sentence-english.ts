import type { Language } from './sentence.ts';

const AND = new Intl.ListFormat('en-GB');
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** Canadian English. Other currencies than CAD go by their code: a dollar is not every dollar. */
export const english: Language = {
  number: (digits) => {
    const [whole = '', fraction] = digits.split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
    return fraction === undefined ? grouped : `${grouped}.${fraction}`;
  },
  money: (number, currency) => {
    if (currency !== 'CAD') return `${number} ${currency}`;
    return number.startsWith('-') ? `-$${number.slice(1)}` : `$${number}`;
  },
  component: {
    ENERGY: (amount) => `${amount} per kWh`,
    TIME: (amount) => `${amount} per hour of charging`,
    PARKING_TIME: (amount) => `${amount} per hour of parking`,
    FLAT: (amount) => `${amount} once`,
  },
  reservedHour: (amount) => `${amount} per hour`,
  free: 'free of charge',
  freePart: {
    ENERGY: 'free energy',
    TIME: 'free charging time',
    PARKING_TIME: 'free parking',
    FLAT: 'no fee',
  },
  plus: ' plus ',
  otherwise: 'otherwise ',
  inAnyCase: 'in any case ',
  tax: (percent) => ` and ${percent}% tax`,
  taxOnAll: (percent) => `plus ${percent}% tax`,
  step: (size) => ` (in steps of ${size})`,
  reservation: 'for a reservation',
  expiredReservation: 'for a reservation that expires',
  when: (conditions) => `${conditions.join(', ')}: `,
  condition: {
    start_date: (date) => `from ${date} on`,
    end_date: (date) => `before ${date}`,
    min_kwh: (kwh) => `from ${kwh} on`,
    max_kwh: (kwh) => `up to ${kwh}`,
    min_current: (current) => `at ${current} or more`,
    max_current: (current) => `below ${current}`,
    min_power: (power) => `at ${power} or more`,
    max_power: (power) => `below ${power}`,
    min_duration: (time) => `after ${time}`,
    max_duration: (time) => `in the first ${time}`,
  },
  times: (from, to) => `${from}–${to}`,
  bothTimes: (first, second) => `${first} and ${second}`,
  days: (runs) => {
    const named = runs.flatMap(([from, to]) => {
      if (from === to) return DAYS[from]!;
      return to === from + 1 ? [DAYS[from]!, DAYS[to]!] : `${DAYS[from]} to ${DAYS[to]}`;
    });
    return `on ${AND.format(named)}`;
  },
  atLeast: (amount) => `at least ${amount}`,
  atMost: (amount) => `at most ${amount}`,
  withTax: (amount) => `(${amount} with tax)`,
};
