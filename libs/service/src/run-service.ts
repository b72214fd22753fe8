import { BadSettings, type Env } from '#settings';
import { CannotStart } from './cannot-start.ts';

/** What `start` of a service gives back. `urls` are the addresses it listens on, by name. */
export interface Running {
  readonly urls?: Readonly<Record<string, string>>;
  /** Finishes what is under way and lets go of everything; safe to call twice. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 10_000;

/**
 * The body of a service's `main.ts`: starts it from the process's environment, says when it is
 * ready (one JSON line on stdout and, under a supervisor, an IPC message), and stops it on SIGINT,
 * SIGTERM or when the supervisor is gone. Exit status: 0 stopped, 1 failed, 2 wrong settings.
 */
export async function runService(name: string, start: (env: Env) => Promise<Running>): Promise<void> {
  let running: Running;
  try {
    running = await start(process.env);
  } catch (error) {
    const wrongSettings = error instanceof BadSettings;
    const isSaid = wrongSettings || error instanceof CannotStart;
    process.stderr.write(`${name}: ${isSaid ? error.message : (error as Error).stack}\n`);
    process.exit(wrongSettings ? 2 : 1);
  }
  const ready = { ready: name, urls: running.urls ?? {} };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);

  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      process.stderr.write(`${name}: did not stop within ${STOP_WITHIN_MS} ms of ${why}\n`);
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    running.stop().then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`${name}: ${error.stack}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('disconnect', () => stop('the loss of its supervisor'));
}
