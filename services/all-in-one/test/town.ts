import { randomUUID } from 'node:crypto';
import type { Cdr, Session } from '#ocpi';
import type { Running } from '#service';
import { testPlatform } from '#test-servers';
import pg from 'pg';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { Portal } from '../../../scripts/portal.ts';
import { eventually } from './stage.ts';
import { start } from '../src/start.ts';

/** A platform of some parties: one Location with one station for each that operates, one driver for each that has some. */
export interface TownOptions {
  readonly name: string;
  readonly parties: readonly { readonly id: string; readonly roles: readonly string[] }[];
  readonly clock: Readonly<Record<string, string>>;
  /** Of OCPI, that it speaks; all when absent. */
  readonly versions?: readonly string[];
}

export interface Town {
  readonly name: string;
  readonly parties: readonly { readonly country_code: string; readonly party_id: string }[];
  readonly operator: Portal;
  readonly charger: ChargerProcess;
  /** Signs the driver of an eMSP party in. */
  driver(partyId: string): Promise<Portal>;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The Sessions that it holds, its own and partners', as `operator < payer`. */
  sessions(): Promise<Session[]>;
  /** What is in the ledger of one of its parties. */
  cdrs(partyId: string): Promise<Cdr[]>;
  close(): Promise<void>;
}

const EVERY_S = 120;
const PASSWORD = 'one driver for each party';

export const stationOf = (partyId: string) => `ST-${partyId}`;
export const siteOf = (partyId: string) => `SITE-${partyId}`;
export const cardOf = (partyId: string) => `CARD-${partyId}`;
const emailOf = (partyId: string) => `driver@${partyId.toLowerCase()}.example`;

const evseOf = (partyId: string) => ({
  uid: `EVSE-${partyId}`, evse_id: `CA*${partyId}*E1`, capabilities: ['REMOTE_START_STOP_CAPABLE', 'RFID_READER'],
  station: stationOf(partyId),
  connectors: [{
    id: '1', station_connector: 1, standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE',
    max_voltage: 208, max_amperage: 32, max_electric_power: 6656, tariff_ids: [`TARIFF-${partyId}`],
  }],
});

/** Every CPO has a price of its own. */
function siteSettings(partyId: string, n: number, owner: object) {
  return {
    tariff: {
      ...owner, id: `TARIFF-${partyId}`, currency: 'CAD', type: 'REGULAR',
      elements: [{ price_components: [{ type: 'ENERGY', price: 0.2 + n / 10, vat: 5, step_size: 1 }] }],
    },
    location: {
      ...owner, id: siteOf(partyId), name: `Site of ${partyId}`, publish: true, address: `${n} Main Street`, city: 'Burnaby',
      state: 'BC', postal_code: 'V5G 3H2', country: 'CAN', coordinates: { latitude: '49.25120', longitude: '-123.00310' },
      time_zone: 'America/Vancouver', evses: [evseOf(partyId)],
    },
  };
}

/** Only what is not its first party's names its party: the rest belongs to the first of the role. */
export async function openTown({ name, parties, clock, versions }: TownOptions): Promise<Town> {
  const withRole = (role: string) => parties.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
  const owner = (id: string, n: number) => (n === 0 ? {} : { country_code: 'CA', party_id: id });
  const sites = withRole('CPO').map((id, n) => siteSettings(id, n, owner(id, n)));
  const stations = withRole('CPO').map((id) => ({ id: stationOf(id), password: randomUUID() }));
  const key = randomUUID();
  const platform = await testPlatform(
    {
      parties: parties.map(({ id, roles }) => ({ country_code: 'CA', party_id: id, name: `Party ${id}`, roles })),
      tariffs: sites.map(({ tariff }) => tariff),
      locations: sites.map(({ location }) => location),
      stations,
      drivers: withRole('EMSP').map((id, n) => ({
        ...owner(id, n),
        email: emailOf(id),
        password: PASSWORD,
        name: `Driver of ${id}`,
        contract_id: `CA-${id}-C00000001-X`,
        tokens: [
          { uid: cardOf(id), type: 'RFID' },
          { uid: `APP-${id}`, type: 'APP_USER' },
        ],
      })),
      retail: {
        default_plan: 'pass',
        plans: [{ id: 'pass', name: 'Pass', versions: [{ from: '2022-01-01T08:00:00Z', kind: 'pass-through' }] }],
      },
      portal: { operator_keys: [key] },
      sessions: { update_every_s: EVERY_S },
      ocpi: { allow_private_urls: true, first_retry_ms: 50, longest_retry_ms: 400, ...(versions ? { versions } : {}) },
    },
    clock,
  );
  const services: Running = await start(platform.env);
  const { ocpp, portal } = services.urls!;
  const pool = new pg.Pool({ connectionString: platform.databaseUrl, max: 2 });
  const query = async <Row>(sql: string, values: readonly unknown[] = []) => (await pool.query(sql, [...values])).rows as Row[];
  const charger = startCharger({
    env: clock,
    config: {
      url: ocpp, settings: { MeterValueSampleInterval: EVERY_S },
      stations: stations.map((station, n) => ({ ...station, seed: n + 1, meterStartWh: 1_000, model: 'level2' })),
    },
  });
  return {
    name, charger, query,
    parties: parties.map(({ id }) => ({ country_code: 'CA', party_id: id })),
    operator: Portal.operator(portal!, key),
    driver: (partyId) => Portal.driver(portal!, emailOf(partyId), PASSWORD),
    sessions: async () => (await query<{ session: string }>(
      `SELECT session FROM (SELECT session, started_at FROM sessions.own_sessions
         UNION ALL SELECT session, started_at FROM sessions.partner_sessions) AS held ORDER BY started_at`,
    )).map(({ session }) => JSON.parse(session) as Session),
    cdrs: async (partyId) => (await query<{ data: string }>(
      `SELECT data FROM cdr_ledger.cdrs JOIN cdr_ledger.events USING ("position") JOIN cdr_ledger.chain USING ("position")
       WHERE ledger = $1 ORDER BY "position"`, [`CA*${partyId}`],
    )).map(({ data }) => (JSON.parse(data) as { cdr: Cdr }).cdr),
    async close() {
      await charger.stop();
      await pool.end();
      await services.stop();
      await platform.drop();
    },
  };
}

/** The handshake, as operators do it. */
export async function link(one: Town, other: Town): Promise<void> {
  const { token_a, versions_url } = await one.operator.post<{ token_a: string; versions_url: string }>(
    '/v1/operator/invitations',
    { name: other.name, parties: other.parties },
  );
  await other.operator.post('/v1/operator/partners', { name: one.name, token_a, versions_url });
}

/** Until so many of partners' tokens and Locations are there. */
export async function knows(town: Town, wanted: { readonly tokens: number; readonly locations: number }): Promise<void> {
  await eventually(`${town.name} knows ${JSON.stringify(wanted)} of its partners'`, async () => {
    const [row] = await town.query<{ tokens: number; locations: number }>(
      `SELECT (SELECT count(*)::int FROM tokens_auth.tokens WHERE NOT own) AS tokens,
         (SELECT count(*)::int FROM locations.locations WHERE NOT own) AS locations`,
    );
    return row!.tokens === wanted.tokens && row!.locations === wanted.locations;
  });
}

/** A card begins and ends a charge at the station of a CPO party. */
export async function chargeByCard({ charger }: Town, { cpo, emsp }: Pair): Promise<void> {
  const station = stationOf(cpo);
  const idTag = cardOf(emsp);
  let since = charger.events.length;
  await charger.do({ do: 'plug-in', station, car: 'leaf', soc: 30 });
  await charger.do({ do: 'tap', station, idTag });
  await charger.until({ event: 'transaction-known', station, status: 'Accepted' }, { since });
  await charger.until({ event: 'meter', station }, { since });
  since = charger.events.length;
  await charger.do({ do: 'tap', station, idTag });
  await charger.until({ event: 'transaction-stopped', station }, { since });
  await charger.do({ do: 'unplug', station });
  await charger.until({ event: 'delivered', station, action: 'StopTransaction' }, { since });
}

/** A driver's app begins and ends a charge at a party of a partner's. */
export async function chargeByApp(at: Town, of: Town, { cpo, emsp }: Pair): Promise<void> {
  const station = stationOf(cpo);
  const driver = await of.driver(emsp);
  const since = at.charger.events.length;
  await at.charger.do({ do: 'plug-in', station, car: 'leaf', soc: 30 });
  const { charge_id: id } = await driver.post<{ charge_id: string }>('/v1/charges', {
    country_code: 'CA', party_id: cpo, location_id: siteOf(cpo), evse_uid: `EVSE-${cpo}`,
  });
  let stopping: Promise<unknown> | undefined;
  for await (const charge of driver.watch(id, AbortSignal.timeout(90_000))) {
    if (Number(charge.session?.kwh) > 0) stopping ??= driver.post(`/v1/charges/${id}/stop`);
  }
  await stopping;
  await at.charger.until({ event: 'transaction-stopped', station }, { since });
  await at.charger.do({ do: 'unplug', station });
}

/** Who operates where, and whose driver charges there. */
export interface Pair {
  readonly cpo: string;
  readonly emsp: string;
}

export const pairOf = ({ party_id: cpo, cdr_token }: Pick<Session, 'party_id' | 'cdr_token'>): string => `${cpo}<${cdr_token.party_id}`;
