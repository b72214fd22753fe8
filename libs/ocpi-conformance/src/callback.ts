import type { Bench, Seen } from './bench.ts';
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

const RESULT_MS_MAX = 60_000;

/** How long a result is waited for after a response with this timeout. */
export function resultMs(timeoutS: number): number {
  return Math.min(RESULT_MS_MAX, timeoutS * 1_000 + 2_000);
}

/** The first result of a request that was ACCEPTED, judged by the time that its response said; undefined where none came. */
export async function resultWithin(
  bench: Bench, rule: string, { seen, back, timeoutS }: { readonly seen: Seen; readonly back: Callback; readonly timeoutS: number },
): Promise<Incoming | undefined> {
  const came = await bench.listener.until(() => back.results().length > 0, resultMs(timeoutS));
  bench.judge(rule, came, `a result within the ${timeoutS} s of its timeout`, seen);
  return back.results()[0];
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
