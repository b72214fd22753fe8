import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** One process to keep alive: a service's `main.js`. */
export interface Unit {
  readonly name: string;
  /** Path of the JavaScript to run with this Node. */
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Supervised {
  readonly name: string;
  /** Of the process that runs now; undefined between an end and the next start. */
  pid(): number | undefined;
  /** How many times it was started. */
  starts(): number;
  /** What it said when it was last ready: its addresses by name. */
  urls(): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Behind a unit that lived this long before it ended, the pauses begin anew. */
const HEALTHY_AFTER_MS = 10_000;
const STOP_WITHIN_MS = 12_000;

/**
 * How Node runs a service. What is under way at one time outlives a small nursery: with a larger one a busy ledger spends a
 * seventh less on its memory. Buffers of sockets count as memory, and lists go through many: where the heap may grow to four
 * times what is in use before all of it is swept, the gateway gives a whole list for half of the processor time.
 */
export const SERVICE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=32', '--heap-growing-percent=300'];

/**
 * Starts a unit and starts it again whenever it ends, with growing pauses, until `stop`. Resolves
 * when it is ready for the first time; rejects with the tail of what it said on stderr when it ends
 * before that. Its output goes to `<logDir>/<name>.log`.
 */
export async function supervise(unit: Unit, logDir: string): Promise<Supervised> {
  const log = createWriteStream(join(logDir, `${unit.name}.log`), { flags: 'a', mode: 0o600 });
  let child: ChildProcess | undefined;
  let starts = 0;
  let urls: Readonly<Record<string, string>> = {};
  let stopping = false;
  let lastWords = '';

  const run = (onReady: () => void) => {
    starts += 1;
    const startedAtMs = Date.now();
    const process_ = spawn(process.execPath, [...SERVICE_FLAGS, unit.main], {
      env: { ...unit.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own session: Ctrl-C reaches the supervisor alone, which stops its units in order.
      detached: true,
    });
    child = process_;
    process_.stdout?.pipe(log, { end: false });
    process_.stderr?.on('data', (chunk: Buffer) => {
      log.write(chunk);
      lastWords = (lastWords + chunk.toString()).slice(-4_000);
    });
    process_.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return;
      urls = (message as { urls?: Record<string, string> }).urls ?? {};
      onReady();
    });
    return new Promise<number>((resolve) => {
      process_.once('error', (error) => {
        lastWords += error.message;
        resolve(Date.now() - startedAtMs);
      });
      process_.once('exit', (code, signal) => {
        log.write(`${unit.name}: ended by ${signal ?? `status ${code}`}\n`);
        resolve(Date.now() - startedAtMs);
      });
    });
  };

  const ready = Promise.withResolvers<void>();
  let wasReady = false;
  const keepAlive = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stopping) {
      const livedMs = await run(() => {
        wasReady = true;
        ready.resolve();
      });
      child = undefined;
      if (!wasReady) return ready.reject(new Error(`${unit.name} did not start:\n${lastWords.trim()}`));
      if (stopping) return;
      pauseMs = livedMs > HEALTHY_AFTER_MS ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await sleep(pauseMs);
    }
  })();
  await ready.promise;

  return {
    name: unit.name,
    pid: () => child?.pid,
    starts: () => starts,
    urls: () => urls,
    async stop() {
      stopping = true;
      const last = child;
      last?.kill('SIGTERM');
      const killing = setTimeout(() => last?.kill('SIGKILL'), STOP_WITHIN_MS);
      await keepAlive.catch(() => {});
      clearTimeout(killing);
      log.end();
    },
  };
}
