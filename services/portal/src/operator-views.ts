import { z } from 'zod';
import type { ChainVerdict } from '#contracts/cdr-ledger';
import type { PlanExplained } from '#contracts/evems-controller';
import type { PartnerView as Partner } from '#contracts/ocpi-gateway';
import type { StationState } from '#contracts/ocpp-gateway';
import { ocpiParty } from '#contracts/party';

export const PartnerView = z
  .object({
    partner_id: z.string(),
    name: z.string().meta({ description: 'as it calls itself, once it has registered' }),
    known_as: z.string().meta({ description: 'as it was called when the link was made, and is in the log' }),
    state: z
      .string()
      .meta({
        description:
          "invited, unapproved (it has registered, and waits for an operator's approval), registered or unregistered",
      }),
    roles: z.array(z.object({ role: z.string(), country_code: z.string(), party_id: z.string(), name: z.string() })),
    version: z.string(),
    versions_url: z.string(),
    waiting: z.int().meta({ description: 'objects that wait to be sent' }),
    waiting_since: z.string().optional().meta({ description: 'since when the oldest of them waits: the lag' }),
    failed_attempts: z.int().meta({ description: 'sendings of what waits that came to nothing so far' }),
    dead_letters: z.int().meta({ description: 'objects that the partner refused' }),
    line: z
      .object({
        state: z
          .enum(['closed', 'open', 'half-open'])
          .meta({ description: 'open: nothing is sent until next_try; half-open: one object tries' }),
        since: z.string().optional(),
        next_try: z.string().optional(),
      })
      .meta({ description: 'the circuit of what is sent to the partner' }),
    reached: z
      .object({ status: z.string().meta({ description: 'CONNECTED or OFFLINE' }), since: z.string() })
      .optional()
      .meta({ description: "of a hub's member: how the others see it" }),
    behind: z
      .array(z.object({ country_code: z.string(), party_id: z.string() }))
      .meta({ description: 'of a hub: the parties that are reached through it' }),
    last_error: z.string(),
    not_carried: z.array(z.string()).meta({ description: 'what the version of OCPI that it speaks could not say' }),
    quirks: z
      .array(z.string())
      .meta({ description: 'how it is spoken to otherwise than OCPI has it, as an operator chose' }),
    invited: z
      .array(z.object({ country_code: z.string(), party_id: z.string(), roles: z.array(z.string()) }))
      .meta({ description: 'for whom the link is meant, without roles in any but HUB' }),
    suggested_quirks: z.array(z.string()).meta({ description: 'those that were seen of it and could be chosen' }),
  })
  .meta({ id: 'Partner' });

export function partnerOf(partner: Partner): z.infer<typeof PartnerView> {
  return {
    partner_id: partner.partnerId,
    // What we called them when we invited them, until they say who they are.
    name: [...new Set(partner.roles.map(({ name }) => name))].join(', ') || partner.name,
    known_as: partner.name,
    state: partner.state,
    roles: partner.roles.map(({ role, party, name }) => (
      { role, country_code: party?.countryCode ?? '', party_id: party?.partyId ?? '', name })),
    version: partner.version,
    versions_url: partner.versionsUrl,
    waiting: partner.waiting,
    ...(partner.waitingSince === undefined ? {} : { waiting_since: partner.waitingSince }),
    failed_attempts: partner.failedAttempts,
    dead_letters: partner.deadLetters,
    line: lineOf(partner.line),
    ...(partner.reached === undefined ? {} : { reached: { status: partner.reached.status, since: partner.reached.since } }),
    behind: partner.behind.map(ocpiParty),
    last_error: partner.lastError,
    not_carried: partner.notCarried,
    quirks: partner.quirks,
    suggested_quirks: partner.suggestedQuirks,
    invited: partner.invited.map(({ party, roles }) => ({ country_code: party?.countryCode ?? '', party_id: party?.partyId ?? '', roles })),
  };
}

function lineOf(line: Partner['line']): z.infer<typeof PartnerView>['line'] {
  const { state = 'closed', since, nextTry } = line ?? {};
  return {
    state: state === 'open' || state === 'half-open' ? state : 'closed',
    ...(since === undefined ? {} : { since }), ...(nextTry === undefined ? {} : { next_try: nextTry }),
  };
}

export const StationView = z.object({
  station_id: z.string(),
  connected: z.boolean(),
  last_seen_at: z.string(),
  vendor: z.string(),
  model: z.string(),
  connectors: z.array(z.object({
    connector_id: z.int(), status: z.string(), status_at: z.string(), transaction_id: z.string().optional(),
  })),
}).meta({ id: 'Station' });

export function stationOf(station: StationState): z.infer<typeof StationView> {
  return {
    station_id: station.stationId,
    connected: station.connected,
    last_seen_at: station.lastSeenAt,
    vendor: station.vendor,
    model: station.model,
    connectors: station.connectors.map(({ connectorId, status, statusAt, transactionId }) => ({
      connector_id: connectorId, status, status_at: statusAt,
      ...(transactionId === undefined ? {} : { transaction_id: transactionId }),
    })),
  };
}

export const ChainView = z.object({
  chain: z.string(),
  entries: z.int(),
  head: z.string(),
  intact: z.boolean(),
  problem: z.string().optional(),
}).meta({ id: 'Chain' });

export function chainOf({ chain, entries, head, intact, problem }: ChainVerdict): z.infer<typeof ChainView> {
  return { chain, entries, head, intact, ...(problem === '' ? {} : { problem }) };
}

export const PlanView = z.object({
  site_id: z.string(),
  feeder: z.string(),
  limit_ma: z.int(),
  exposed_ma: z.int(),
  owner_epoch: z.int(),
  limits: z.array(z.object({
    station_id: z.string(),
    connector_id: z.int(),
    wants_power: z.boolean(),
    target_ma: z.int(),
    confirmed_ma: z.int(),
    exposed_ma: z.int(),
    why: z.string(),
  })),
}).meta({ id: 'Plan' });

export function planOf(plan: PlanExplained): z.infer<typeof PlanView> {
  return {
    site_id: plan.siteId,
    feeder: plan.feeder,
    limit_ma: plan.limitMa,
    exposed_ma: plan.exposedMa,
    owner_epoch: plan.ownerEpoch,
    limits: plan.limits.map((limit) => ({
      station_id: limit.stationId,
      connector_id: limit.connectorId,
      wants_power: limit.wantsPower,
      target_ma: limit.targetMa,
      confirmed_ma: limit.confirmedMa,
      exposed_ma: limit.exposedMa,
      why: limit.why,
    })),
  };
}
