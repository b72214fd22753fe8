import { expect, test } from 'vitest';
import { sentence } from './sentence.ts';
import { english } from './sentence-english.ts';
import { french } from './sentence-french.ts';
import type { Tariff } from './shapes.ts';

const tariff = (...elements: Tariff['elements']): Tariff => ({
  id: 'T',
  currency: 'CAD',
  elements,
});
const energy = { type: 'ENERGY', price: 0.35, step_size: 1 } as const;
const time = { type: 'TIME', price: 2, step_size: 1 } as const;
const parking = { type: 'PARKING_TIME', price: 6, step_size: 300 } as const;

const said: readonly [Tariff, english: string, french: string][] = [
  [
    tariff({ price_components: [energy, time] }),
    '$0.35 per kWh plus $2.00 per hour of charging',
    '0,35 $ le kWh plus 2,00 $ l’heure de recharge',
  ],
  [
    tariff({ price_components: [{ type: 'FLAT', price: 0, step_size: 0 }] }),
    'free of charge',
    'gratuit',
  ],
  [
    tariff(
      {
        price_components: [{ ...energy, price: 0.4125, vat: 14.975 }],
        restrictions: {
          start_time: '07:30',
          end_time: '00:00',
          day_of_week: ['FRIDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'SATURDAY'],
        },
      },
      { price_components: [energy, parking] },
    ),
    'on Monday to Wednesday, Friday and Saturday, 07:30–24:00: $0.4125 per kWh and 14.975% tax; ' +
      'otherwise $0.35 per kWh; in any case $6.00 per hour of parking (in steps of 5 min)',
    'du lundi au mercredi, le vendredi et le samedi, de 7 h 30 à minuit : ' +
      '0,4125 $ le kWh plus taxes (14,975 %); ' +
      'sinon 0,35 $ le kWh; dans tous les cas 6,00 $ l’heure de stationnement (par tranches de 5 min)',
  ],
  [
    {
      ...tariff(
        { price_components: [energy], restrictions: { max_duration: 1800, min_power: 22.5 } },
        {
          price_components: [{ type: 'FLAT', price: 4 }],
          restrictions: { reservation: 'RESERVATION_EXPIRES' },
        },
      ),
      min_price: { excl_vat: 0.5 },
      max_price: { excl_vat: 1000, incl_vat: '1050.00' },
    },
    'at 22.5 kW or more, in the first 30 min: $0.35 per kWh; ' +
      'for a reservation that expires: $4.00 once; ' +
      'at least $0.50; at most $1,000.00 ($1,050.00 with tax)',
    'à 22,5 kW ou plus, jusqu’à 30 min après le début : 0,35 $ le kWh; ' +
      'pour une réservation qui expire : 4,00 $ une seule fois; ' +
      'au moins 0,50 $; au plus 1 000,00 $ (1 050,00 $ taxes comprises)',
  ],
  [
    { ...tariff({ price_components: [{ ...energy, price: 40 }] }), currency: 'JPY' },
    '40 JPY per kWh',
    '40 JPY le kWh',
  ],
];

test.each(said)('a tariff is said in a sentence, in English and in French (%#)', (...given) => {
  const [of, inEnglish, inFrench] = given;
  expect(sentence(of)).toBe(inEnglish);
  expect(sentence(of, english)).toBe(inEnglish);
  expect(sentence(of, french).replaceAll('\u00a0', ' ')).toBe(inFrench);
});

test('PRC-14: an hour of a reservation is no hour of charging', () => {
  const given = tariff({
    price_components: [{ ...time, price: 5, step_size: 300 }],
    restrictions: { reservation: 'RESERVATION' },
  });
  expect(sentence(given)).toBe('for a reservation: $5.00 per hour (in steps of 5 min)');
  expect(sentence(given, french).replaceAll('\u00a0', ' ')).toBe('pour une réservation : 5,00 $ l’heure (par tranches de 5 min)');
});

test('what follows under other conditions for another thing is no "otherwise"', () => {
  const given = tariff(
    { price_components: [energy], restrictions: { end_time: '20:00' } },
    { price_components: [{ ...parking, price: 0 }], restrictions: { start_time: '20:00' } },
    { price_components: [{ ...parking, step_size: 1 }] },
  );
  expect(sentence(given)).toBe(
    '00:00–20:00: $0.35 per kWh; 20:00–24:00: free parking; otherwise $6.00 per hour of parking',
  );
  expect(sentence(tariff(given.elements[0]!, given.elements[2]!))).toBe(
    '00:00–20:00: $0.35 per kWh; $6.00 per hour of parking',
  );
});

test('PRC-02: what an element adds to what it is the default of is charged in any case', () => {
  const given = tariff(
    { price_components: [energy], restrictions: { start_time: '17:00' } },
    { price_components: [time, { ...energy, price: 0 }, { type: 'FLAT', price: 1 }, { ...parking, price: 0 }] },
  );
  expect(sentence(given)).toBe(
    '17:00–24:00: $0.35 per kWh; otherwise free energy; in any case $2.00 per hour of charging plus $1.00 once',
  );
  expect(sentence(given, french).replaceAll('\u00a0', ' ')).toBe(
    'de 17 h à minuit : 0,35 $ le kWh; sinon énergie gratuite; ' +
      'dans tous les cas 2,00 $ l’heure de recharge plus 1,00 $ une seule fois',
  );
});

test('PRC-02: what is free in one window and costs something in another is said to be free', () => {
  const given = tariff(
    { price_components: [time, { ...energy, price: 0 }, { ...parking, price: 0 }], restrictions: { end_time: '06:00' } },
    { price_components: [energy] },
  );
  expect(sentence(given)).toBe(
    '00:00–06:00: $2.00 per hour of charging plus free energy; otherwise $0.35 per kWh',
  );
});

test('PRC-02: what an earlier element prices always is not said again: a night price behind it never applies', () => {
  const night = { price_components: [{ ...energy, price: 0.2 }, parking], restrictions: { start_time: '22:00', end_time: '06:00' } };
  expect(sentence(tariff({ price_components: [energy, { ...energy, price: 0.1 }] }, night, { price_components: [{ ...energy, price: 0.3 }, time] }))).toBe(
    '$0.35 per kWh; 22:00–06:00: $6.00 per hour of parking (in steps of 5 min); $2.00 per hour of charging',
  );
  const reserved = { price_components: [{ type: 'FLAT' as const, price: 1 }], restrictions: { reservation: 'RESERVATION' } };
  expect(sentence(tariff({ price_components: [{ ...energy, type: 'FLAT' }] }, reserved))).toBe('$0.35 once; for a reservation: $1.00 once');
});

test('a French number keeps its groups and its currency on one line', () => {
  const given = tariff({ price_components: [{ ...time, price: 1234.5 }] });
  expect(sentence(given, french)).toBe('1\u00a0234,50\u00a0$ l’heure de recharge');
});

test('PRC-13: a window over midnight with days or dates is told as it counts, by the day of the moment', () => {
  const night = { start_time: '22:00', end_time: '06:00' };
  const at = (restrictions: object) => tariff({ price_components: [energy], restrictions });
  expect(sentence(at(night))).toBe('22:00–06:00: $0.35 per kWh');
  expect(sentence(at({ ...night, day_of_week: ['FRIDAY'] }))).toBe('on Friday, 00:00–06:00 and 22:00–24:00: $0.35 per kWh');
  expect(sentence(at({ ...night, end_date: '2026-09-01' }), french).replaceAll('\u00a0', ' ')).toBe(
    'de 0 h à 6 h et de 22 h à minuit, avant le 2026-09-01 : 0,35 $ le kWh',
  );
});

test.each([
  [{ start_time: '08:00', end_time: '08:00' }],
  [{ start_time: '00:00', end_time: '00:00' }],
  [{ end_time: '00:00' }],
  [{ day_of_week: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] }],
])('what restricts nothing is not said: %j', (restrictions) => {
  expect(sentence(tariff({ price_components: [energy], restrictions }))).toBe('$0.35 per kWh');
});

test('a tax that all prices have is said once, before what bounds the total', () => {
  const taxed = (more: object) => ({ ...energy, vat: 14.975, ...more });
  const given = {
    ...tariff(
      { price_components: [taxed({}), taxed({ type: 'FLAT', price: 1 })], restrictions: { max_kwh: 10 } },
      { price_components: [taxed({ price: 0.3 }), { ...parking, price: 0 }] },
    ),
    min_price: { excl_vat: 2 },
  };
  expect(sentence(given)).toBe('up to 10 kWh: $0.35 per kWh plus $1.00 once; otherwise $0.30 per kWh; plus 14.975% tax; at least $2.00');
  expect(sentence(given, french).replaceAll('\u00a0', ' ')).toBe(
    'jusqu’à 10 kWh : 0,35 $ le kWh plus 1,00 $ une seule fois; sinon 0,30 $ le kWh; taxes (14,975 %) en sus; au moins 2,00 $',
  );
  expect(sentence(tariff({ price_components: [taxed({}), time] }), french).replaceAll('\u00a0', ' ')).toBe(
    '0,35 $ le kWh plus taxes (14,975 %) plus 2,00 $ l’heure de recharge',
  );
});

test('PRC-02: an element whose restrictions restrict nothing leaves none of its prices to those after it', () => {
  const given = tariff(
    { price_components: [parking], restrictions: { max_kwh: 10 } },
    { price_components: [{ ...time, price: 0 }, { ...energy, price: 0.2 }], restrictions: { start_time: '22:00', end_time: '22:00' } },
    { price_components: [time, energy] },
  );
  expect(sentence(given)).toBe('up to 10 kWh: $6.00 per hour of parking (in steps of 5 min); $0.20 per kWh');
});
