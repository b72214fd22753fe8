export { grantMigrations, GrantRows } from './grant-rows.ts';
export { areGrantedAlike, type Granted, isOffered, type Offer, offeredOf, offersOf } from './offers.ts';
export { isLike, patternsFor, seenSinceFor, shownSince } from './places.ts';
export { describedOffers } from './settings.ts';
export { isSteeringAlike, type Steering, steeringFor, type SteeringGrant, steeringGrantOf } from './steering.ts';
