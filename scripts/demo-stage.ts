import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeRun, runFolder, type Server, startPostgres, stateFolder } from '#servers';
import { type ChargerProcess, startCharger } from './charger-process.ts';
import { carbonPlunk, DEMO_EPOCH, energyOasis, fastStation } from './demo-settings.ts';
import { type Platform, startPlatform } from './platform.ts';

export interface StageOptions {
  readonly split: boolean;
  readonly trace: boolean;
  /** How much faster than life the platforms' clock runs. */
  readonly rate: number;
}

/** The two platforms, each complete, and the chargers of one of them. */
export interface Stage {
  readonly dir: string;
  readonly oasis: Platform & { readonly settings: ReturnType<typeof energyOasis> };
  readonly plunk: Platform & { readonly settings: ReturnType<typeof carbonPlunk> };
  readonly chargers: ChargerProcess;
  readonly traceDir: string | undefined;
  readonly clockEnv: Readonly<Record<string, string>>;
  /** Takes what the services said out of the run's folder, which goes with the stage; where it is then. */
  keepLogs(): string;
  stop(): Promise<void>;
}

/** Starts everything that the demo needs; what was started is stopped again when something fails. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const dir = runFolder('demo');
  const traceDir = options.trace ? join(dir, 'traces') : undefined;
  if (traceDir) mkdirSync(traceDir, { mode: 0o700 });
  const clockEnv = {
    ROAMWATT_CLOCK_EPOCH: DEMO_EPOCH,
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
    ROAMWATT_CLOCK_RATE: String(options.rate),
  };
  const env = { ...clockEnv, ...(traceDir ? { ROAMWATT_TRACE_DIR: traceDir } : {}) };
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const each of started.toReversed()) await each.stop().catch(() => {});
    removeRun(dir);
  };
  try {
    const postgres: Server = await startPostgres({ dir: join(dir, 'postgres'), passing: true });
    started.push(postgres);
    const settings = { oasis: energyOasis(), plunk: carbonPlunk() };
    const [oasis, plunk] = await Promise.all((['oasis', 'plunk'] as const).map(async (name) => {
      const platform = await startPlatform({
        name, dir: join(dir, name), settings: settings[name], env,
        postgresUrl: postgres.url, hosting: options.split ? 'split' : 'one',
      });
      started.push(platform);
      return platform;
    })) as [Platform, Platform];
    const chargers = startCharger({
      config: {
        url: oasis.ocppUrl,
        settings: { MeterValueSampleInterval: 60 },
        stations: settings.oasis.stations.map(({ id, password }, index) => ({
          id, password, seed: index + 1, meterStartWh: 100_000 + index * 7_000,
          model: id.startsWith(fastStation(1).slice(0, -2)) ? 'dcfc' : 'level2',
        })),
      },
      env: clockEnv,
    });
    started.push(chargers);
    return {
      dir, traceDir, clockEnv, chargers, stop,
      keepLogs: () => keepLogs({ oasis: oasis.logDir, plunk: plunk.logDir }),
      oasis: { ...oasis, settings: settings.oasis },
      plunk: { ...plunk, settings: settings.plunk },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Those of the last run that broke off, and of no other. */
function keepLogs(folders: Readonly<Record<string, string>>): string {
  const kept = stateFolder('demo-logs');
  for (const [name, folder] of Object.entries(folders)) {
    rmSync(join(kept, name), { recursive: true, force: true });
    renameSync(folder, join(kept, name));
  }
  return kept;
}
