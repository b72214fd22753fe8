export { type Decider, fold, Rejected } from './decider.ts';
export { given } from './given.ts';
