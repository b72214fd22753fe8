import type { Forgetting, Holder } from '#erasure';
import { idKey, type Location } from '#ocpi';
import type { LocationSettings } from './config.ts';
import type { Locations } from './locations.ts';

/** What Locations say of a contract: that its token sees them, though they are not published. */
export function locationsForgetting(locations: Locations, settings: readonly LocationSettings[]): Forgetting {
  return {
    async look(holder) {
      const described = settings.filter((one) => names(one as Pick<Location, 'publish_allowed_to'>, holder));
      return {
        kept: { 'Locations that name a token': (await locations.naming(needlesOf(holder))).filter((one) => names(one, holder)).length },
        hindrances: described.map(({ id }) => ({
          code: 'location-names-token',
          detail: `publish_allowed_to of the Location ${id} in the settings names a token: take it out, and start again`,
        })),
      };
    },
    tokenUids: async ({ tokenUids }) => tokenUids,
    async forget(holder) {
      for (const location of await locations.naming(needlesOf(holder))) {
        if (names(location, holder)) await locations.rewrite(location, (held) => without(held, holder));
      }
      await locations.forgetTold((location) => names(location, holder));
      return undefined;
    },
  };
}

type Entry = NonNullable<Location['publish_allowed_to']>[number];

function isOf({ tokenUids, visualNumbers }: Holder, { uid, visual_number: number }: Entry): boolean {
  return (uid !== undefined && tokenUids.some((one) => idKey(one) === idKey(uid)))
    || (number !== undefined && visualNumbers.includes(number));
}

function names({ publish_allowed_to: allowed }: Pick<Location, 'publish_allowed_to'>, holder: Holder): boolean {
  return (allowed ?? []).some((entry) => isOf(holder, entry));
}

function without(location: Location, holder: Holder): Location {
  return { ...location, publish_allowed_to: (location.publish_allowed_to ?? []).filter((entry) => !isOf(holder, entry)) };
}

function needlesOf({ tokenUids, visualNumbers }: Holder): string[] {
  return [...tokenUids, ...visualNumbers];
}
