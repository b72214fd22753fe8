import { z } from 'zod';
import { rateSetting } from '#admission';
import { CountryCode, DateTime, PartyId, Role } from '#ocpi';
import type { Settings } from '#settings';
import { spokenVersions } from './versions.ts';

const ocpiSection = z.strictObject({
  /** Whether partners may live on this machine or a private network: demos, tests, closed networks. */
  allow_private_urls: z.boolean().default(false),
  /** How long a partner may take for one request, real time. */
  request_timeout_ms: z.int().min(100).max(120_000).default(10_000),
  /** Most objects on one page of our lists. */
  page_limit: z.int().min(1).max(1_000).default(200),
  /** The first pause after a delivery that did not reach its partner, doubled each time, real time. */
  first_retry_ms: z.int().min(10).default(200),
  longest_retry_ms: z.int().min(10).default(10_000),
  /** How often a partner may fail over one object (3000, HTTP 404 …) before it is set aside; never a CDR. */
  refusals_before_parking: z.int().min(1).default(10),
  /** What was set aside so is tried once more after this real time, and then ever more seldom, but at least after six times as long. */
  letters_again_ms: z.int().min(10).default(600_000),
  /** Real time that a CDR waits for its Session to be over at the partner (SES-01), then it goes alone. */
  cdr_waits_ms: z.int().min(0).max(50_000).default(30_000),
  /** The same of a Location that names a Tariff of ours that the partner was not told of yet. */
  location_waits_ms: z.int().min(0).max(600_000).default(60_000),
  /** How we get back in step with partners by reading their lists. Platform time; each pause is up to a fifth shorter or longer. */
  pull: z.strictObject({
    first_s: z.int().min(0).default(60),
    every_s: z.int().min(1).default(6 * 3600),
    /** Whole lists, after which what is not listed is no longer valid. */
    full_every_s: z.int().min(1).default(24 * 3600),
    /** After a start of this service, within so long; 0: not. */
    splay_s: z.int().min(0).default(30),
    /** An object that a push told to be incomplete here is fetched after so long, what came meanwhile with it … */
    fetch_after_s: z.int().min(0).default(1),
    /** … and the same again at the earliest after so long. */
    fetch_again_s: z.int().min(1).default(60),
  }).prefault({}),
  /** What is spoken: at a handshake the newest that the partner has, too, is taken. */
  versions: z.array(z.enum(spokenVersions)).min(1).default([...spokenVersions])
    .transform((given) => spokenVersions.filter((version) => given.includes(version))),
  /** Of what each partner may ask of one process of ours; never of authorize, commands, their results and CDRs. */
  rate_limit: rateSetting(1_000, 10_000),
  /** The same of callers without a token that we know, by their address. */
  unknown_rate_limit: rateSetting(20, 200),
  /** Proxies before this service that write X-Forwarded-For; 0: the caller's address is the socket's. */
  proxies: z.int().min(0).max(10).default(0),
  /** The time that a request has to arrive whole, real time; a slow one holds nothing for long. */
  receive_timeout_ms: z.int().min(100).max(120_000).default(30_000),
});

const partyName = z.string().regex(/^[A-Z]{2}\*[A-Z0-9]{1,3}$/, 'a party such as CA*BCT');
const pair = z.tuple([partyName, partyName]);

/** Of a platform whose role is HUB. */
const hubSection = z.strictObject({
  /** After so much silence of a member the hub asks whether it is alive, platform time. HUB-24. */
  quiet_s: z.int().min(1).default(300),
  /** How often it asks one that is offline. */
  offline_check_s: z.int().min(1).default(30),
  /** Pairs of parties that see and reach each other; absent: all do. */
  only: z.array(pair).optional(),
  /** Pairs of parties that do not. */
  never: z.array(pair).default([]),
  /** Parties that will join: members see them as PLANNED. */
  planned: z.array(z.strictObject({ country_code: CountryCode, party_id: PartyId, role: Role })).default([]),
  planned_since: DateTime.default('2022-01-01T00:00:00Z'),
});

export type HubSettings = z.output<typeof hubSection>;

export function hubSettings(settings: Settings): HubSettings {
  return settings.section('hub', hubSection);
}

export type OcpiSettings = z.output<typeof ocpiSection>;

export function ocpiSettings(settings: Settings): OcpiSettings {
  return settings.section('ocpi', ocpiSection);
}
