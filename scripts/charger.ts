import { createInterface } from 'node:readline';
import { clockFromEnv } from '#time';
import { answerCall } from './charger-commands.ts';
import { ConfigInvalid, readConfig } from './charger-config.ts';
import type { Config } from './charger-config.ts';
import { control } from './charger-control.ts';
import { Station } from './charger-station.ts';
import { helpOf } from './help.ts';

function main(): void {
  let config: Config | undefined;
  try {
    config = readConfig(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    process.stderr.write(`${error.message}\nTry npm run charger -- --help.\n`);
    process.exitCode = 2;
    return;
  }
  if (config) run(config);
  else process.stdout.write(helpOf('charger'));
}

function run({ stations: configs, stay }: Config): void {
  const clock = clockFromEnv(process.env);
  const say = (station: string | undefined, event: string, fields: object = {}): void => {
    process.stdout.write(`${JSON.stringify({ at: clock.iso(), station, event, ...fields })}\n`);
  };
  const stations = new Map(
    configs.map((config) => [
      config.id,
      new Station(config, {
        clock,
        onCall: answerCall,
        say: (event, fields) => say(config.id, event, fields),
      }),
    ]),
  );
  // Often enough that a platform second is not missed by much, never so often that it costs.
  const everyMs = Math.min(500, Math.max(25, 1_000 / clock.rate));
  const ticking = setInterval(() => {
    for (const station of stations.values()) station.tick();
  }, everyMs);
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    clearInterval(ticking);
    lines.close();
    // A central system that does not close its side must not keep us.
    setTimeout(() => process.exit(), 1_000).unref();
    void Promise.allSettled([...stations.values()].map((station) => station.link.stop())).then(() =>
      process.exit(),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Whoever reads us is gone.
  process.stdout.on('error', end);

  lines.on('line', (line) => {
    if (line.trim() === '') return;
    if (/^\s*\{\s*"do"\s*:\s*"quit"\s*\}\s*$/.test(line)) return end();
    control(stations, line).then(
      ({ station, did }) => say(station, 'done', { did }),
      (error: unknown) =>
        say(undefined, 'not-done', {
          line,
          why: error instanceof Error ? error.message : String(error),
        }),
    );
  });
  lines.on('close', () => {
    if (!stay) end();
  });
  for (const station of stations.values()) void station.link.run();
}

main();
