import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port of 127.0.0.1 that is free now; somebody may take it before us, so be ready to retry. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) =>
    probe.once('error', reject).listen(0, '127.0.0.1', resolve),
  );
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Asks `done` every 20 ms until it answers something; throws `complaint()` after `timeoutMs`. */
export async function until<T>(
  done: () => T | undefined,
  timeoutMs: number,
  complaint: () => string,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = done();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(complaint());
    await sleep(20);
  }
}

/** The last lines of a log, for an error message. */
export function tail(log: string, lines = 12): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}
