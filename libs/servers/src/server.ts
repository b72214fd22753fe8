import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that runs for this process, and ends with it however this process ends. */
export interface Server {
  /** With the credentials that a client needs. */
  readonly url: string;
  /** 0 when the server was given by its URL and is not ours. */
  readonly pid: number;
  readonly port: number;
  /** Path of the log file; empty when the server is not ours. */
  readonly log: string;
  /** Folder of what it keeps; empty when the server is not ours. */
  readonly data: string;
  /** Orderly stop: resolves when the process has ended; a second call does nothing. */
  stop(): Promise<void>;
}

/** A server that somebody else runs: its URL, and a stop that leaves it alone. */
export function givenServer(url: string, defaultPort: number): Server {
  const port = Number(new URL(url.split(',')[0] ?? url).port || defaultPort);
  return { url, pid: 0, port, log: '', data: '', stop: async () => {} };
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly log: string;
  readonly account?: Account | undefined;
}

export interface Running {
  readonly pid: number;
  /** Undefined while it runs; then how it ended, in words. */
  ended(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a server process in a session of its own, so that Ctrl-C in the terminal reaches only us
 * and the servers stop last, in order. A watchdog beside it sees our end of its pipe close, even
 * after `kill -9`, and stops the server then; it is told when we stop the server ourselves.
 */
export async function launch({ command, args, cwd, log, account }: Launch): Promise<Running> {
  const logFile = openSync(log, 'a', 0o600);
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C', TZ: 'UTC', HOME: cwd },
    stdio: ['ignore', logFile, logFile],
    ...(account ?? {}),
  });
  closeSync(logFile);
  let end: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end ??= error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      end ??= signal ? `ended by ${signal}` : `exit status ${code}`;
      resolve();
    });
  });
  if (child.pid === undefined) {
    await exited;
    throw new Error(`Cannot start ${command}: ${end}.`);
  }
  const pid = child.pid;
  child.unref();
  const watchdog = watch(pid);
  void exited.then(() => watchdog.stdin?.end('done\n'));
  return {
    pid,
    ended: () => end,
    async stop() {
      child.ref();
      for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
        if (end !== undefined) break;
        child.kill(signal);
        const waited = new AbortController();
        const patience = sleep(20_000, undefined, { signal: waited.signal }).catch(() => {});
        await Promise.race([exited, patience]);
        waited.abort();
      }
    },
  };
}

const WATCH = `read told && exit 0
kill -INT "$1" || exit 0
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1; [ -e "/proc/$1/exe" ] || exit 0; done
kill -QUIT "$1"; sleep 5; kill -KILL "$1"`;

function watch(pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', WATCH, 'roamwatt-watchdog', String(pid)], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  (watchdog.stdin as unknown as { unref?(): void } | null)?.unref?.();
  watchdog.unref();
  return watchdog;
}
