import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { natsFor, startPostgres, stateRoot } from '#servers';
import { parse } from 'yaml';
import { Portal } from './demo-portal.ts';
import { anyPorts, type Platform, type Ports, startPlatform } from './platform.ts';
import { exampleSettings } from './start-example.ts';

const HELP = `Runs your platform for keeps: one operator's own, with its data kept across restarts. Ctrl-C stops it.

  npm start                             from roamwatt.yaml; an annotated one is made on the first start
  npm start -- --config my.yaml         from another file
  npm start -- --split                  every service as a process of its own
  npm start -- --json                   prints the addresses as one line of JSON

  DATABASE_URL, NATS_URL                servers of yours instead of private ones under .roamwatt/
  OCPI_PORT, OCPP_PORT, PORTAL_PORT     where it listens; else free ports, the same on every start
  OCPI_PUBLIC_URL                       what partners call, when that is not this machine's address`;

const { values } = parseArgs({
  options: {
    config: { type: 'string', default: 'roamwatt.yaml' },
    split: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const say = (line = ''): void => void process.stderr.write(`${line}\n`);
const stopping = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve());

const started: { stop(): Promise<void> }[] = [];
let status = 0;
try {
  const config = resolve(values.config);
  if (!existsSync(config)) {
    writeFileSync(config, exampleSettings(), { mode: 0o600 });
    say(`Made ${values.config}: an example with secrets of its own. Change it to what you have, and start again.`);
  }
  const platform = await startOwn(config);
  await sayWhere(platform, config);
  await stopping.promise;
  say('Stopping …');
} catch (error) {
  say((error as Error).message);
  status = 1;
} finally {
  for (const each of started.toReversed()) await each.stop().catch(() => {});
}
process.exit(status);

async function startOwn(config: string): Promise<Platform> {
  const dir = join(stateRoot(), 'start');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { DATABASE_URL, NATS_URL, OCPI_PUBLIC_URL } = process.env;
  const nats = await natsFor(NATS_URL, { dir: join(dir, 'nats') });
  started.push(nats);
  const postgres = DATABASE_URL ? undefined : await startPostgres({ dir: join(dir, 'postgres') });
  if (postgres) started.push(postgres);
  const platform = await startPlatform({
    name: 'roamwatt',
    dir,
    settings: config,
    natsUrl: nats.url,
    ...(DATABASE_URL ? { databaseUrl: DATABASE_URL } : { postgresUrl: postgres!.url }),
    ports: await keptPorts(join(dir, 'ports.json')),
    hosting: values.split ? 'split' : 'one',
    env: {
      HOST: process.env['HOST'] ?? '127.0.0.1',
      ...(OCPI_PUBLIC_URL ? { OCPI_PUBLIC_URL } : {}),
      ...(process.env['ROAMWATT_LOG'] ? { ROAMWATT_LOG: process.env['ROAMWATT_LOG'] } : {}),
    },
  });
  started.push(platform);
  return platform;
}

/** The ports of the first start, so that chargers and partners find the platform again. */
async function keptPorts(file: string): Promise<Ports> {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ports) : await anyPorts();
  writeFileSync(file, JSON.stringify(kept));
  const given = (name: string, port: number) => Number(process.env[name] ?? port);
  return { ocpi: given('OCPI_PORT', kept.ocpi), ocpp: given('OCPP_PORT', kept.ocpp), portal: given('PORTAL_PORT', kept.portal) };
}

async function sayWhere(platform: Platform, config: string): Promise<void> {
  const { portal } = parse(readFileSync(config, 'utf8')) as { portal?: { operator_keys?: string[] } };
  const key = portal?.operator_keys?.[0];
  const invitation = key ? await firstInvitation(Portal.operator(platform.portalUrl, key)) : undefined;
  const where = {
    charger_url: `${platform.ocppUrl}/<station>`,
    ocpi_versions_url: invitation?.versions_url ?? platform.ocpiVersionsUrl,
    ocpi_token_a: invitation?.token_a,
    portal_url: platform.portalUrl,
    logs: platform.logDir,
  };
  if (values.json) return void console.log(JSON.stringify(where));
  say();
  say('Your platform runs.');
  say(`   chargers connect to   ${where.charger_url}   (OCPP 1.6-J, Basic authentication as in ${values.config})`);
  say(`   partners register at  ${where.ocpi_versions_url}   (OCPI 2.2.1)`);
  say(invitation ? `   with this TOKEN_A     ${invitation.token_a}   (for one partner; more: POST /v1/operator/invitations)` : '   TOKEN_A               POST /v1/operator/invitations at the portal makes one');
  say(`   drivers, operators    ${where.portal_url}   (OpenAPI at /openapi.json; operator keys in ${values.config})`);
  say(`   logs                  ${where.logs}`);
  say('Ctrl-C stops it; the data stays.');
}

/** A TOKEN_A for the first partner, made once and shown until somebody has registered with it. */
async function firstInvitation(operator: Portal): Promise<{ token_a: string; versions_url: string } | undefined> {
  const file = join(stateRoot(), 'start', 'first-token-a.json');
  const { partners } = await operator.get<{ partners: { state: string }[] }>('/v1/operator/partners');
  if (partners.some(({ state }) => state === 'registered')) return undefined;
  if (!existsSync(file)) {
    const made = await operator.post<{ token_a: string; versions_url: string }>('/v1/operator/invitations', { name: 'First partner' });
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { token_a: string; versions_url: string };
}
