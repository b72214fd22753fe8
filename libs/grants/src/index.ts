export { grantMigrations, GrantRows } from './grant-rows.ts';
export { areGrantedAlike, type Granted, grantedAt, isOffered, type Offer, offeredOf, offersOf, tokenPrioritiesAt } from './offers.ts';
export { isLike, type Patterns, patternsFor, type Places, type SeenSince, seenSinceFor, shownSince } from './places.ts';
export { describedOffers } from './settings.ts';
export {
  isSteeringAlike, type Steered, type Steering, steeringAt, steeringFor, type SteeringGrant, steeringGrantOf,
} from './steering.ts';
export { beginsAt, type GrantVersion } from './versions.ts';
