import { z } from 'zod';
import type { Settings } from '#settings';
import type { Offer } from './offers.ts';

/** Of a tariff in the settings; `all` where it is left out. */
const OfferedTo = z.enum(['all', 'own', 'agreed']);
const tariff = z.looseObject({ id: z.string().min(1), offered_to: OfferedTo.default('all') });

/**
 * Tariffs of the settings that are not for all, from the first day on: `own` are for our own drivers,
 * `agreed` for nobody but those whose agreement grants them.
 */
export function describedOffers(settings: Settings): Offer[] {
  const own = settings.parties.all.map(({ country_code, party_id }) => ({ country_code, party_id }));
  const tariffs = settings.list('tariffs', tariff);
  const ids = (wanted: z.output<typeof OfferedTo>) => tariffs.filter(({ offered_to: to }) => to === wanted).map(({ id }) => id);
  return [
    { to: own, tariffIds: ids('own') },
    { to: [], tariffIds: ids('agreed') },
  ].filter(({ tariffIds }) => tariffIds.length > 0);
}
