import { AsyncResource } from 'node:async_hooks';
import type { HeardTogether } from '#bus';
import type { Tx } from '#postgres';

/** Collects what the handlers of one batch say, and does it once behind all of them. */
export function behindAll<T>(doAll: (said: readonly T[], heard: HeardTogether) => Promise<void>): (heard: HeardTogether, one: T) => void {
  const said = new WeakMap<Tx, T[]>();
  return (heard, one) => {
    const before = said.get(heard.tx);
    if (before) return void before.push(one);
    const all = [one];
    said.set(heard.tx, all);
    heard.beforeCommit(AsyncResource.bind(() => doAll(all, heard)));
  };
}
