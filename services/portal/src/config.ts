import { z } from 'zod';
import { type Rate, rateSetting } from '#admission';
import { type Party, TokenType, WhitelistType } from '#ocpi';
import { BadSettings, type Settings } from '#settings';

/** Where a token may charge: all EVSEs of a Location, or these. */
const place = z.strictObject({
  country_code: z.string().length(2),
  party_id: z.string().length(3),
  location_id: z.string().min(1).max(36),
  evse_uids: z.array(z.string().min(1).max(36)).max(500).default([]),
});

const token = z.strictObject({
  uid: z.string().regex(/^[\x21-\x7e]{1,36}$/, '1 to 36 printable characters'),
  type: TokenType,
  visual_number: z.string().min(1).max(64).optional(),
  /** false: lost or stolen; it opens nothing, here and at partners. Left out of the settings it stays as it was. */
  valid: z.boolean().optional(),
  /** What else a card is ALLOWED, and anything else NEVER. TOK-11 */
  whitelist: WhitelistType.optional(),
  /** Of the driver: what partners tell is in it. ISO 639-1. */
  language: z.string().length(2).optional(),
  /** Cards of one group end each other's charges. */
  group_id: z.string().min(1).max(36).optional(),
  /** Where alone it may charge; everywhere without it. A partner then has to say where it is to. TOK-07 */
  allowed_at: z.array(place).min(1).max(500).optional(),
});

const driver = z.strictObject({
  email: z.email().max(254).toLowerCase(),
  password: z.string().min(8).max(200),
  name: z.string().min(1).max(100),
  contract_id: z.string().min(1).max(36),
  /** Which of our parties the contract is with; the first that is an eMSP. */
  country_code: z.string().optional(),
  party_id: z.string().optional(),
  tokens: z.array(token).min(1).max(20),
});

export type PlaceSettings = z.output<typeof place>;
/** With the party whose it is. */
export type TokenSettings = z.output<typeof token> & Party;
export interface DriverSettings extends Omit<z.output<typeof driver>, 'tokens' | 'country_code' | 'party_id'> {
  readonly tokens: TokenSettings[];
}

const portalSection = z.strictObject({
  operator_keys: z.array(z.string().min(16, 'a key has at least 16 random characters').max(200)).default([]),
  /** Proxies before the portal that write X-Forwarded-For; 0: the caller's address is the socket's. */
  proxies: z.int().min(0).max(10).default(0),
  /** Wrong API keys and tokens, by the address that they come from; per_second 0: no limit. */
  wrong_key_limit: rateSetting(1, 100),
  log_in_hours: z.number().positive().max(24 * 90).default(24),
});

export interface Config {
  readonly drivers: readonly DriverSettings[];
  readonly operatorKeys: readonly string[];
  /** By the world's clock: it bounds how long a stolen bearer token is of use. */
  readonly logInHours: number;
  readonly proxies: number;
  readonly guesses: Rate;
  readonly port: number;
  readonly host: string;
}

export function configOf(settings: Settings): Config {
  const portal = settings.section('portal', portalSection);
  const drivers = driversOf(settings);
  return {
    drivers, operatorKeys: portal.operator_keys, logInHours: portal.log_in_hours, proxies: portal.proxies,
    guesses: portal.wrong_key_limit,
    port: settings.port('PORTAL_PORT'), host: settings.variable('HOST', '127.0.0.1'),
  };
}

export function driversOf(settings: Settings): DriverSettings[] {
  const drivers = settings.list('drivers', driver).map((one) => withParty(one, settings));
  twice(settings, drivers.map(({ email }) => email), 'email');
  twice(settings, drivers.flatMap(({ tokens }) => tokens.map(({ uid }) => uid.toLowerCase())), 'token uid');
  return drivers;
}

function withParty({ country_code, party_id, ...one }: z.output<typeof driver>, { parties, file }: Settings): DriverSettings {
  const owner = parties.ownerOf({ country_code, party_id } as Partial<Party>, 'EMSP');
  if (!owner.ok) throw new BadSettings(`${file}: drivers: ${one.email}: ${owner.message}`);
  const { party } = owner;
  const its = { country_code: party.country_code, party_id: party.party_id };
  return { ...one, tokens: one.tokens.map((each) => ({ ...each, ...its })) };
}

function twice({ file }: Settings, values: readonly string[], what: string): void {
  const again = values.find((value, index) => values.indexOf(value) !== index);
  if (again !== undefined) throw new BadSettings(`${file}: drivers: the ${what} ${again} is there twice`);
}
