export { grantMigrations, GrantRows } from './grant-rows.ts';
export {
  beginsAt, type Granted, grantedAt, type GrantVersion, isOffered, type Offer, offeredOf, offersOf, tokenPrioritiesAt,
} from './offers.ts';
