import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './waiting.ts';

/** The right to run a server on a folder: one process holds it at a time. */
export interface Claim {
  /** Notes which process serves the folder, for those who come after we were killed. */
  servedBy(pid: number): void;
  release(): void;
}

/**
 * Claims `dir`. Refuses at once while another live process holds it; when the holder was killed,
 * waits for its server, which the watchdog is stopping. Two servers on one JetStream store ruin it.
 */
export async function claim(dir: string): Promise<Claim> {
  mkdirSync(dir, { recursive: true });
  const holder = join(dir, 'held-by');
  const server = join(dir, 'served-by');
  while (!tryToWrite(holder, identity(process.pid))) {
    const [other, served] = [read(holder), read(server)];
    if (isAlive(other))
      throw new Error(
        `${dir} is in use by process ${pidOf(other)}: another run of Roamwatt. Stop that one first (Ctrl-C there, or kill ${pidOf(other)}).`,
      );
    await until(
      () => (isAlive(served) ? undefined : true),
      25_000,
      () => `${dir} is still in use by server process ${pidOf(served)}, whose starter has died.`,
    );
    if (read(holder) === other) rmSync(holder, { force: true });
  }
  return {
    servedBy: (pid) => writeFileSync(server, identity(pid)),
    release: () => rmSync(holder, { force: true }),
  };
}

/** In one step: nobody sees the file without its text. False when it is there already. */
function tryToWrite(file: string, text: string): boolean {
  const draft = `${file}-${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Number, start and boot of a process: unlike the number alone it is never used again. */
function identity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return `${pid} gone`; // Ended, and nobody has taken note of it yet.
    const startedAt = fields[19];
    return `${pid} ${startedAt} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return `${pid} gone`;
  }
}

function isAlive(recorded: string): boolean {
  return recorded !== '' && !recorded.endsWith('gone') && identity(pidOf(recorded)) === recorded;
}

function pidOf(recorded: string): number {
  return Number(recorded.split(' ')[0]);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
