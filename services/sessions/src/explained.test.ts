import { expect, test } from 'vitest';
import type { Session, Tariff } from '#ocpi';
import { explained } from './explained.ts';

const session = {
  start_date_time: '2026-11-15T18:00:00Z', end_date_time: '2026-11-15T19:00:00Z', currency: 'CAD',
  charging_periods: [{ start_date_time: '2026-11-15T18:00:00Z', dimensions: [{ type: 'ENERGY', volume: 7 }] }],
} as unknown as Session;
const tariffOf = (restrictions?: object) => ({
  id: 'T1', currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price: 0.3, step_size: 1 }], ...(restrictions && { restrictions }) }],
}) as unknown as Tariff;

test.each(['', 'PST', 'america/vancouver'])("LOC-10 a Session at a partner's Location in the time zone '%s', which there is not, is explained where no local time matters", (zone) => {
  expect(explained(session, [tariffOf()], zone).explanation).toMatchObject({ total: { excl_vat: '2.1' } });
  expect(explained(session, [tariffOf({ start_time: '08:00' })], zone)).toMatchObject({ explanation: { notPriceable: expect.stringContaining('time_zone') } });
  expect(explained(session, [tariffOf({ start_time: '08:00' })], 'America/Vancouver').explanation).toMatchObject({ total: { excl_vat: '2.1' } });
});
