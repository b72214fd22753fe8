import assert from 'node:assert/strict';
import { type Decider, fold, Rejected } from './decider.ts';

/**
 * given(decider, ...past).when(command).then(...events) | .thenNothing() | .thenRejected(code):
 * a decider's test as one sentence.
 */
export function given<S, C, E>(decider: Decider<S, C, E>, ...past: readonly E[]) {
  const state = fold(decider, past);
  return {
    when(command: C) {
      const run = () => decider.decide(command, state);
      return {
        then(...expected: readonly E[]) {
          assert.deepEqual(run(), expected);
        },
        thenNothing() {
          assert.deepEqual(run(), []);
        },
        thenRejected(code: string) {
          assert.throws(run, (error: unknown) => error instanceof Rejected && error.code === code);
        },
      };
    },
  };
}
