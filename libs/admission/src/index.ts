export { callerAddress, networkOf } from './networks.ts';
export { GuessLimit, type Guess } from './guess-limit.ts';
export { type Rate, RateLimit, rateSetting } from './rate-limit.ts';
export { Recent } from './recent.ts';
