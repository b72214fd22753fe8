import type { Bench } from './bench.ts';
import { type Incoming, saidBy } from './listener.ts';

/** A URL of ours for the result of one request. */
export interface Callback {
  readonly path: string;
  readonly url: string;
  results(): Incoming[];
}

let count = 0;

export function callback(bench: Bench): Callback {
  count += 1;
  const path = `/results/${bench.run}-${count}`;
  return {
    path, url: `${bench.listener.url}${path}`,
    results: () => bench.listener.seen.filter((one) => one.path === path && one.method === 'POST'),
  };
}

/** Nobody who was refused is called back: what came to one of these came against that. */
export async function judgeSilence(bench: Bench, rule: string, callbacks: readonly Callback[]): Promise<void> {
  const early = () => callbacks.flatMap((one) => one.results())[0];
  await bench.listener.until(() => early() !== undefined, bench.options.patienceMs);
  const came = early();
  bench.judge(
    rule,
    came === undefined,
    'no result behind a response that was not ACCEPTED',
    came ? saidBy(came) : `${callbacks.length} requests that were not ACCEPTED`,
  );
}
