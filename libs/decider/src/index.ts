export { type Decider, fold, Rejected } from './decider.ts';
export { given } from './given.ts';
export { withRepeats } from './repeats.ts';
