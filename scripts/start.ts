import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { postgresFor, stateFolder } from '#servers';
import { BadSettings, portOf, readParties, readSections } from '#settings';
import { checkSections } from '../services/all-in-one/src/sections.ts';
import { Portal } from './portal.ts';
import { argumentsOf } from './help.ts';
import { anyPorts, ensureDatabase, type Platform, type Ports, startPlatform } from './platform.ts';
import { exampleSettings } from './start-example.ts';
import { housingSettings } from './start-housing.ts';
import { hubSettings } from './start-hub.ts';
import { idsOfOthers, keepParties, versionsSpoken } from './start-party.ts';

const { values } = argumentsOf('start', {
  options: {
    name: { type: 'string', default: 'start' },
    config: { type: 'string' },
    new: { type: 'boolean', default: false },
    database: { type: 'boolean', default: false },
    example: { type: 'boolean', default: false },
    kind: { type: 'string' },
    split: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const EXAMPLES = { site: exampleSettings, housing: housingSettings, hub: hubSettings };

const CONFIG = values.config ?? (values.name === 'start' ? 'roamwatt.yaml' : `roamwatt-${values.name}.yaml`);
/** What starts the same platform again. */
const again = ['npm start', ...anew()].join(' ');

/** A hub forwards, and keeps neither chargers nor bills: the gateway does it all, and the portal is its operator's door. */
const HUB_SERVICES = ['ocpi-gateway', 'portal'] as const;

const say = (line = ''): void => void process.stderr.write(`${line}\n`);
const stopping = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve());

const started: { stop(): Promise<void> }[] = [];
let status = 0;
try {
  const given = givenPorts();
  checkName(values.name);
  const example = exampleOf(values.kind ?? 'site');
  if (values.database) checkAlone();
  const config = resolve(CONFIG);
  if (values.database) await serveDatabase();
  else if (isMade(config, example) && !values.example) sayWhatToChange(config);
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

/** Makes the settings where there are none; whoever names a file that is not there may have mistyped it. */
function isMade(config: string, example: () => string): boolean {
  if (existsSync(config)) {
    const meant = values.kind !== undefined ? '--kind' : values.new ? '--new' : undefined;
    if (meant) say(`${config} is there already, and is taken as it is: ${meant} is for one that is made.`);
    return false;
  }
  if (values.config !== undefined && values.kind === undefined && !values.new && !values.example) {
    throw new BadSettings(`--config ${values.config}: there is no file ${config}; with --new an annotated example is made there`);
  }
  writeFileSync(config, example(), { mode: 0o600 });
  return true;
}

/** Settings are neither read nor made. */
function checkAlone(): void {
  const other = (['kind', 'new', 'example', 'split'] as const).find((name) => values[name]);
  if (other) throw new BadSettings(`--database: the database alone is started, and --${other} is for a platform: leave one of them out`);
}

/** The database alone: to restore ledgers into it before the first start, or to look into it. */
async function serveDatabase(): Promise<void> {
  if (process.env['DATABASE_URL'])
    throw new BadSettings(
      '--database: is for the private database of a platform; with DATABASE_URL it is yours, and that is where it is',
    );
  const postgres = await postgresFor(undefined, { dir: join(stateFolder(values.name), 'postgres') });
  started.push(postgres);
  const url = await ensureDatabase(postgres.url, platformName());
  if (values.json) console.log(JSON.stringify({ database_url: url, data: postgres.data }));
  else sayDatabase(url);
  // The server is a process of its own, and nothing else goes on here.
  const alive = setInterval(() => {}, 60_000);
  await stopping.promise;
  clearInterval(alive);
}

function sayDatabase(url: string): void {
  say('The database runs, and no platform on it. Its URL holds its password:');
  say(`   ${url}`);
  say(`   npx roamwatt ledger restore ledger.jsonl --database-url '${url}'   (before the first start)`);
  say(`Ctrl-C stops it; the data stay. Then: ${again}`);
}

function platformName(): string {
  return values.name === 'start' ? 'roamwatt' : values.name;
}

function anew(): string[] {
  const options = [
    ...(values.name === 'start' ? [] : ['--name', values.name]),
    ...(values.config === undefined ? [] : ['--config', values.config]),
  ];
  return options.length > 0 ? ['--', ...options] : [];
}

/** The folder is the platform's alone: other runs keep theirs beside it. */
function checkName(name: string): void {
  if (/^[a-z][a-z0-9]{0,30}$/.test(name) && !['bin', 'torture'].includes(name)) return;
  throw new BadSettings(
    `--name ${name}: is a word of up to 31 small letters and digits, other than bin and torture; its data are in .roamwatt/<name>`,
  );
}

function exampleOf(kind: string): () => string {
  if (Object.hasOwn(EXAMPLES, kind)) return EXAMPLES[kind as keyof typeof EXAMPLES];
  throw new BadSettings(`--kind ${kind}: is site, housing or hub`);
}

function sayWhatToChange(config: string): void {
  say(`Made ${config}: an annotated example with secrets of its own. Change in it`);
  const held = values.kind === 'hub' ? '' : '; evse_id and contract_id hold these two';
  say(`   party       who you are: name, country_code and party_id (these two stay as they are once data are there${held})`);
  if (values.kind === 'hub') say('   hub         who may meet whom, if not all');
  else sayWhatToDescribe();
  say(`and start again: ${again}. To try it as it is: ${again}${again.includes(' -- ') ? '' : ' --'} --example`);
}

function sayWhatToDescribe(): void {
  say('   tariffs     what charging costs');
  say('   locations   where your EVSEs are, and which station and connector each of them is');
  say('   stations    your chargers and their passwords');
  say('   sites       feeds that carry less than all their chargers together');
  say('   drivers     your own drivers and their cards, if you have any');
}

async function startOwn(config: string, given: Partial<Ports>): Promise<Platform & { readonly data: string }> {
  checkSections(unstarted(config));
  say('Starting …');
  const dir = stateFolder(values.name);
  const ports = { ...(await keptPorts(join(dir, 'ports.json'))), ...given };
  keepParties(dir, config);
  const { DATABASE_URL, NATS_URL, OCPI_PUBLIC_URL, NODE_EXTRA_CA_CERTS } = process.env;
  const postgres = await postgresFor(DATABASE_URL, { dir: join(dir, 'postgres') });
  started.push(postgres);
  const platform = await startPlatform({
    name: platformName(),
    dir,
    ...(isHub(config) ? { services: HUB_SERVICES } : {}),
    settings: config,
    ...(NATS_URL ? { natsUrl: NATS_URL } : {}),
    ...(DATABASE_URL ? { databaseUrl: DATABASE_URL } : { postgresUrl: postgres.url }),
    ports,
    hosting: values.split ? 'split' : 'one',
    env: {
      HOST: process.env['HOST'] ?? '127.0.0.1',
      ...(OCPI_PUBLIC_URL ? { OCPI_PUBLIC_URL } : {}),
      ...(NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS } : {}),
      ...(process.env['ROAMWATT_LOG'] ? { ROAMWATT_LOG: process.env['ROAMWATT_LOG'] } : {}),
    },
  });
  started.push(platform);
  return { ...platform, data: postgres.data };
}

/** What the services will be told, as far as it is known before anything is started: enough to read the settings. */
function unstarted(config: string): Record<string, string> {
  return {
    ROAMWATT_PLATFORM: platformName(), ROAMWATT_CONFIG: config, ROAMWATT_SECRET: 'not made yet'.padEnd(32),
    DATABASE_URL: 'postgres://not.started', NATS_URL: 'nats://not.started',
  };
}

function isHub(config: string): boolean {
  return readParties(config).all.every(({ roles }) => roles.every((role) => role === 'HUB'));
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
  const { portal, stations } = readSections(config) as Written;
  const key = portal?.operator_keys?.[0];
  const invitation = key ? await firstInvitation(Portal.operator(platform.portalUrl, key)) : undefined;
  const where = {
    charger_url: isHub(config) ? undefined : `${platform.ocppUrl}/<station>`,
    ocpi_versions_url: invitation?.versions_url ?? platform.ocpiVersionsUrl,
    ocpi_token_a: invitation?.token_a,
    portal_url: platform.portalUrl,
    data: platform.data || undefined,
    logs: platform.logDir,
  };
  if (values.json) return void console.log(JSON.stringify(where));
  say();
  say('Your platform runs.');
  if (!isHub(config)) sayToChargers(platform.ocppUrl, stations);
  say(`   partners register at  ${where.ocpi_versions_url}   (OCPI ${isHub(config) ? '2.2.1' : versionsSpoken(config)})`);
  if (invitation)
    say(
      `   with this TOKEN_A     ${invitation.token_a}   (for one partner; then: npx roamwatt partner list, and approve it)`,
    );
  say(
    `   ${invitation ? 'more partners         ' : "a partner's TOKEN_A   "}ROAMWATT_OPERATOR_KEY=<its key> npx roamwatt partner invite NAME --party 'CA*CPK:EMSP' --url ${where.portal_url}`,
  );
  say(
    `   ${isHub(config) ? 'operators         ' : 'drivers, operators'}    ${where.portal_url}   (OpenAPI at /openapi.json; operator keys in ${CONFIG})`,
  );
  say(
    `   data                  ${where.data ?? 'the database of DATABASE_URL'}   (and ${stateFolder(values.name)}: passwords, the secret, the ports)`,
  );
  say(`   logs                  ${where.logs}`);
  const [other, ...more] = idsOfOthers(config);
  if (other) say(`   please check          ${other}${more.length > 0 ? ` and ${more.length} more` : ''}: the ids of your EVSEs and contracts begin with your party`);
  say('Ctrl-C stops it; the data stay.');
}

function sayToChargers(ocppUrl: string, [station]: readonly { readonly id: string }[] = []): void {
  say(`   chargers connect to   ${ocppUrl}/<station>   (OCPP 1.6-J, Basic authentication as in ${CONFIG})`);
  if (station)
    say(
      `   without a charger     CHARGER_PASSWORD=<its password> npm run charger -- --url ${ocppUrl} --station ${station.id}   (a simulated one)`,
    );
}

interface Invitation {
  readonly partner_id: string;
  readonly token_a: string;
  readonly versions_url: string;
}

/** A TOKEN_A for the first partner, made once and shown until somebody has registered with it. */
async function firstInvitation(operator: Portal): Promise<Invitation | undefined> {
  const file = join(stateFolder(values.name), 'first-token-a.json');
  const { partners } = await operator.get<{ partners: { partner_id: string; state: string }[] }>('/v1/operator/partners');
  if (partners.some(({ state }) => state === 'registered')) return undefined;
  if (!existsSync(file)) {
    const made = await operator.post<Invitation>('/v1/operator/invitations', { name: 'First partner' });
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
    return made;
  }
  const made = JSON.parse(readFileSync(file, 'utf8')) as Invitation;
  return partners.some(({ partner_id, state }) => partner_id === made.partner_id && state === 'invited') ? made : undefined;
}
