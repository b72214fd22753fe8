import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import type { Control } from './charger-control.ts';

/** One line the charger printed. */
export interface ChargerEvent {
  /** Platform time. */
  readonly at: string;
  readonly station: string | undefined;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ChargerProcess {
  readonly pid: number;
  /** Everything it printed so far. */
  readonly events: readonly ChargerEvent[];
  /**
   * Tells it what happens at a station; resolves when it is done, rejects with the reason when it
   * is not.
   */
  do(control: Control): Promise<void>;
  /**
   * The first event that matches, among those already printed from `since` (an index of `events`)
   * on or
   * still to come; rejects after so much real time with the last lines.
   */
  until(what: Matching, options?: { since?: number; withinMs?: number }): Promise<ChargerEvent>;
  stop(): Promise<void>;
}

/** An event's fields, or a predicate over it. */
export type Matching = Readonly<Record<string, unknown>> | ((event: ChargerEvent) => boolean);

/** As in `npm run charger -- --help`: url, stations and their defaults. */
export interface ChargerOptions {
  readonly config: object;
  /** The platform's clock above all. */
  readonly env?: Readonly<Record<string, string>>;
}

const built = resolve(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '.' : '../dist/scripts');

/**
 * Starts `charger.ts`, as built, as a process of its own. It ends with this process, for its
 * standard input ends then.
 */
export function startCharger({ config, env }: ChargerOptions): ChargerProcess {
  const child = spawn(process.execPath, [join(built, 'charger.js')], {
    // Passwords travel in the environment: arguments can be read by everybody on the machine.
    env: { PATH: process.env['PATH'] ?? '', ...env, CHARGER_CONFIG: JSON.stringify(config) },
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C belongs to whoever started us: they stop the charger in their order.
    detached: true,
  });
  const events: ChargerEvent[] = [];
  const watchers = new Set<(event: ChargerEvent | undefined) => void>();
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const event = JSON.parse(line) as ChargerEvent;
    events.push(event);
    for (const watcher of [...watchers]) watcher(event);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => {
    for (const watcher of [...watchers]) watcher(undefined);
  });
  child.stdin.on('error', () => {});

  const until: ChargerProcess['until'] = (what, { since = 0, withinMs = 60_000 } = {}) =>
    new Promise((resolve, reject) => {
      const fits = matcher(what);
      const found = events.slice(since).find(fits);
      if (found) return resolve(found);
      const fail = (why: string): void => {
        done();
        const tail = events
          .slice(-12)
          .map((event) => JSON.stringify(event))
          .join('\n');
        reject(
          new Error(
            `${why} while waiting for ${String(JSON.stringify(what) ?? what)}; the last lines:\n${tail}`,
          ),
        );
      };
      const watch = (event: ChargerEvent | undefined): void => {
        if (!event) return fail('the charger ended');
        if (!fits(event)) return;
        done();
        resolve(event);
      };
      const timer = setTimeout(() => fail(`nothing for ${withinMs} ms`), withinMs);
      const done = (): void => {
        clearTimeout(timer);
        watchers.delete(watch);
      };
      watchers.add(watch);
    });

  let last = Promise.resolve();
  const doIt = async (control: Control): Promise<void> => {
    const since = events.length;
    child.stdin.write(`${JSON.stringify(control)}\n`);
    const answer = await until(({ event }) => event === 'done' || event === 'not-done', { since });
    if (answer.event === 'not-done') throw new Error(String(answer['why']));
  };
  return {
    pid: child.pid ?? -1,
    events,
    until,
    // One at a time: its answers carry no number.
    do: (control) => {
      const next = last.then(() => doIt(control));
      last = next.catch(() => {});
      return next;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

function matcher(what: Matching): (event: ChargerEvent) => boolean {
  if (typeof what === 'function') return what;
  const fields = Object.entries(what);
  return (event) =>
    fields.every(([name, value]) => JSON.stringify(event[name]) === JSON.stringify(value));
}
