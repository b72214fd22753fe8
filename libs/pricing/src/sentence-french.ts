import type { Language } from './sentence.ts';

const AND = new Intl.ListFormat('fr');
export const DAYS = ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'];
/** Between a number and what it counts, and between groups of three digits. */
export const NO_BREAK = '\u00a0';

/** Canadian French: « 0,35 $ le kWh ». */
export const french: Language = {
  number: (digits) => {
    const [whole = '', fraction] = digits.split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, NO_BREAK);
    return fraction === undefined ? grouped : `${grouped},${fraction}`;
  },
  money: (number, currency) => `${number}${NO_BREAK}${currency === 'CAD' ? '$' : currency}`,
  component: {
    ENERGY: (amount) => `${amount} le kWh`,
    TIME: (amount) => `${amount} l’heure de recharge`,
    PARKING_TIME: (amount) => `${amount} l’heure de stationnement`,
    FLAT: (amount) => `${amount} une seule fois`,
  },
  reservedHour: (amount) => `${amount} l’heure`,
  free: 'gratuit',
  freePart: {
    ENERGY: 'énergie gratuite',
    TIME: 'temps de recharge gratuit',
    PARKING_TIME: 'stationnement gratuit',
    FLAT: 'sans frais fixes',
  },
  plus: ' plus ',
  otherwise: 'sinon ',
  inAnyCase: 'dans tous les cas ',
  tax: (percent) => ` plus taxes (${percent}${NO_BREAK}%)`,
  taxOnAll: (percent) => `taxes (${percent}${NO_BREAK}%) en sus`,
  step: (size) => ` (par tranches de ${size})`,
  reservation: 'pour une réservation',
  expiredReservation: 'pour une réservation qui expire',
  when: (conditions) => `${conditions.join(', ')}${NO_BREAK}: `,
  condition: {
    start_date: (date) => `à partir du ${date}`,
    end_date: (date) => `avant le ${date}`,
    min_kwh: (kwh) => `à partir de ${kwh}`,
    max_kwh: (kwh) => `jusqu’à ${kwh}`,
    min_current: (current) => `à ${current} ou plus`,
    max_current: (current) => `à moins de ${current}`,
    min_power: (power) => `à ${power} ou plus`,
    max_power: (power) => `à moins de ${power}`,
    min_duration: (time) => `après ${time}`,
    max_duration: (time) => `jusqu’à ${time} après le début`,
  },
  times: (from, to) => `de ${clock(from)} à ${clock(to)}`,
  bothTimes: (first, second) => `${first} et ${second}`,
  days: (runs) => {
    const named = runs.flatMap(([from, to]) => {
      if (from === to) return `le ${DAYS[from]}`;
      return to === from + 1 ? [`le ${DAYS[from]}`, `le ${DAYS[to]}`] : `du ${DAYS[from]} au ${DAYS[to]}`;
    });
    return AND.format(named);
  },
  atLeast: (amount) => `au moins ${amount}`,
  atMost: (amount) => `au plus ${amount}`,
  withTax: (amount) => `(${amount} taxes comprises)`,
};

/** « 7 h 30 », « minuit » for the end of the day. */
export function clock(time: string): string {
  const [hour = '', minute = ''] = time.split(':');
  if (hour === '24') return 'minuit';
  const hours = `${Number(hour)}${NO_BREAK}h`;
  return minute === '00' ? hours : `${hours}${NO_BREAK}${minute}`;
}
