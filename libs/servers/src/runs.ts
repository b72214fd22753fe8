import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { forgetPassingPlaces, stateFolder, stateRoot } from './places.ts';
import { removePostgres } from './postgres.ts';

export type PassingRun = 'demo' | 'test' | 'bench';

/** The folder of this process's run, whose servers are for the run alone; removes those of dead runs. */
export function runFolder(kind: PassingRun): string {
  forgetDeadRuns(stateRoot());
  return stateFolder(`${kind}-${process.pid}`);
}

/** Removes a run's folder and the data of its stopped PostgreSQL in `<dir>/postgres`. */
export function removeRun(dir: string): void {
  removePostgres(join(dir, 'postgres'));
  rmSync(dir, { recursive: true, force: true });
}

/** Nothing but folders with these names and the number of a dead process goes. */
export function forgetDeadRuns(root: string): void {
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const pid = /^(?:demo|test|bench)-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      removeRun(join(root, name));
    } catch {
      // Another run removes it, or another account's run left it.
    }
  }
  forgetPassingPlaces();
}
