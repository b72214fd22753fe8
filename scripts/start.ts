import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { natsFor, postgresFor, stateFolder } from '#servers';
import { BadSettings, checkSettings, portOf } from '#settings';
import { parse } from 'yaml';
import { Portal } from './demo-portal.ts';
import { argumentsOf } from './help.ts';
import { anyPorts, type Platform, type Ports, startPlatform } from './platform.ts';
import { exampleSettings } from './start-example.ts';
import { housingSettings } from './start-housing.ts';
import { keepParties } from './start-party.ts';

const { values } = argumentsOf('start', {
  options: {
    config: { type: 'string', default: 'roamwatt.yaml' },
    example: { type: 'boolean', default: false },
    kind: { type: 'string', default: 'site' },
    split: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const say = (line = ''): void => void process.stderr.write(`${line}\n`);
const stopping = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve());

const started: { stop(): Promise<void> }[] = [];
let status = 0;
try {
  const given = givenPorts();
  const config = resolve(values.config);
  const isNew = !existsSync(config);
  if (isNew) writeFileSync(config, exampleOf(values.kind), { mode: 0o600 });
  if (isNew && !values.example) sayWhatToChange(config);
  else {
    const platform = await startOwn(config, given);
    await sayWhere(platform, config);
    await stopping.promise;
    say('Stopping …');
  }
} catch (error) {
  say((error as Error).message);
  status = error instanceof BadSettings ? 2 : 1;
} finally {
  for (const each of started.toReversed()) await each.stop().catch(() => {});
}
process.exit(status);

function exampleOf(kind: string): string {
  if (kind === 'site') return exampleSettings();
  if (kind === 'housing') return housingSettings();
  throw new BadSettings(`--kind ${kind}: is site or housing`);
}

function sayWhatToChange(config: string): void {
  say(`Made ${config}: an annotated example with secrets of its own. Change in it`);
  say('   party       who you are: name, country_code and party_id (evse_id and contract_id hold these two, which stay as they are once data are there)');
  say('   tariffs     what charging costs');
  say('   locations   where your EVSEs are, and which station and connector each of them is');
  say('   stations    your chargers and their passwords');
  say('   sites       feeds that carry less than all their chargers together');
  say('   drivers     your own drivers and their cards, if you have any');
  say('and start again: npm start. To try it as it is: npm start -- --example');
}

async function startOwn(config: string, given: Partial<Ports>): Promise<Platform & { readonly data: string }> {
  checkSettings(config);
  const dir = stateFolder('start');
  const ports = { ...(await keptPorts(join(dir, 'ports.json'))), ...given };
  keepParties(dir, config);
  const { DATABASE_URL, NATS_URL, OCPI_PUBLIC_URL } = process.env;
  const nats = await natsFor(NATS_URL, { dir: join(dir, 'nats') });
  started.push(nats);
  const postgres = await postgresFor(DATABASE_URL, { dir: join(dir, 'postgres') });
  started.push(postgres);
  const platform = await startPlatform({
    name: 'roamwatt',
    dir,
    settings: config,
    natsUrl: nats.url,
    ...(DATABASE_URL ? { databaseUrl: DATABASE_URL } : { postgresUrl: postgres.url }),
    ports,
    hosting: values.split ? 'split' : 'one',
    env: {
      HOST: process.env['HOST'] ?? '127.0.0.1',
      ...(OCPI_PUBLIC_URL ? { OCPI_PUBLIC_URL } : {}),
      ...(process.env['ROAMWATT_LOG'] ? { ROAMWATT_LOG: process.env['ROAMWATT_LOG'] } : {}),
    },
  });
  started.push(platform);
  return { ...platform, data: postgres.data };
}

/** The ports of the first start, so that chargers and partners find the platform again. */
async function keptPorts(file: string): Promise<Ports> {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ports) : await anyPorts();
  writeFileSync(file, JSON.stringify(kept));
  return kept;
}

function givenPorts(): Partial<Ports> {
  const names = { ocpi: 'OCPI_PORT', ocpp: 'OCPP_PORT', portal: 'PORTAL_PORT' } as const;
  const given = Object.entries(names).flatMap(([door, name]) => {
    const text = process.env[name];
    return text === undefined ? [] : [[door, portOf(name, text)]];
  });
  return Object.fromEntries(given) as Partial<Ports>;
}

interface Written {
  readonly portal?: { readonly operator_keys?: readonly string[] };
  readonly stations?: readonly { readonly id: string }[];
}

async function sayWhere(platform: Platform & { readonly data: string }, config: string): Promise<void> {
  const { portal, stations } = parse(readFileSync(config, 'utf8')) as Written;
  const key = portal?.operator_keys?.[0];
  const invitation = key ? await firstInvitation(Portal.operator(platform.portalUrl, key)) : undefined;
  const where = {
    charger_url: `${platform.ocppUrl}/<station>`,
    ocpi_versions_url: invitation?.versions_url ?? platform.ocpiVersionsUrl,
    ocpi_token_a: invitation?.token_a,
    portal_url: platform.portalUrl,
    data: platform.data || undefined,
    logs: platform.logDir,
  };
  if (values.json) return void console.log(JSON.stringify(where));
  say();
  say('Your platform runs.');
  say(`   chargers connect to   ${where.charger_url}   (OCPP 1.6-J, Basic authentication as in ${values.config})`);
  const [station] = stations ?? [];
  if (station) say(`   without a charger     CHARGER_PASSWORD=<its password> npm run charger -- --url ${platform.ocppUrl} --station ${station.id}   (a simulated one)`);
  say(`   partners register at  ${where.ocpi_versions_url}   (OCPI 2.2.1)`);
  say(invitation ? `   with this TOKEN_A     ${invitation.token_a}   (for one partner; more: POST /v1/operator/invitations)` : '   TOKEN_A               POST /v1/operator/invitations at the portal makes one');
  say(`   drivers, operators    ${where.portal_url}   (OpenAPI at /openapi.json; operator keys in ${values.config})`);
  say(`   data                  ${where.data ?? 'the database of DATABASE_URL'}   (and ${stateFolder('start')}: passwords, the secret, the ports)`);
  say(`   logs                  ${where.logs}`);
  say('Ctrl-C stops it; the data stay.');
}

/** A TOKEN_A for the first partner, made once and shown until somebody has registered with it. */
async function firstInvitation(operator: Portal): Promise<{ token_a: string; versions_url: string } | undefined> {
  const file = join(stateFolder('start'), 'first-token-a.json');
  const { partners } = await operator.get<{ partners: { state: string }[] }>('/v1/operator/partners');
  if (partners.some(({ state }) => state === 'registered')) return undefined;
  if (!existsSync(file)) {
    const made = await operator.post<{ token_a: string; versions_url: string }>('/v1/operator/invitations', { name: 'First partner' });
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { token_a: string; versions_url: string };
}
