import { z } from 'zod';
import { type Bus, isAskFailure, Refused } from '#bus';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { correctCdr, getCdr, verifyLedger } from '#contracts/cdr-ledger';
import { explainPlan } from '#contracts/evems-controller';
import { describeStations } from '#contracts/ocpp-gateway';
import { closeSession, explainSession, getSession } from '#contracts/sessions';
import type { OwnParties } from '#settings';
import { cardRoutes } from './card-routes.ts';
import { CdrId, Explanation, Findings, OcpiId, OcpiObject, ofParty } from './fields.ts';
import {
  ChainView, chainOf, PlanView, planOf, StationView, stationOf,
} from './operator-views.ts';
import { correctionWarnings } from './agreement-warnings.ts';
import { partnerRoutes } from './partner-routes.ts';
import { quirkRoutes } from './quirk-routes.ts';
import { Problem } from './problem.ts';
import { explained } from './receipts.ts';
import { operatorRoute, type Route } from './route.ts';
import { settlementRoutes } from './settlement-routes.ts';

/** Every entry of the chains is reckoned again. */
const VERIFY_MS = 60_000;
/** A station that is connected is asked. */
const CLOSE_MS = 15_000;

export function operatorRoutes(bus: Bus, own: OwnParties): Route[] {
  return [
    ...partnerRoutes(bus),
    ...quirkRoutes(bus),
    ...sessionRoutes(bus),
    ...moneyRoutes(bus),
    ...settlementRoutes(bus, own),
    ...siteRoutes(bus),
    ...cardRoutes(bus),
  ];
}

function sessionRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/sessions/:country_code/:party_id/:session_id',
      summary: 'An OCPI Session, ours or a partner\'s, with its price so far explained',
      params: z.strictObject({ ...ofParty, session_id: OcpiId }),
      answer: z.object({ own: z.boolean(), session: OcpiObject, explanation: Explanation }),
      async handle({ params: { country_code: countryCode, party_id: partyId, session_id: sessionId } }) {
        const id = { party: { countryCode, partyId }, sessionId };
        const [{ own, sessionJson }, { explanationJson, explanationText }] = await Promise.all([
          bus.ask(getSession, id),
          bus.ask(explainSession, id).catch(unexplained),
        ]);
        if (!sessionJson) {
          throw new Problem(404, 'unknown-session', `session_id: ${countryCode}*${partyId} has no session ${sessionId} here`);
        }
        const tree = explanationJson === undefined ? null : fromJsonBytes<unknown>(explanationJson);
        return { own, session: fromJsonBytes<Record<string, unknown>>(sessionJson), explanation: { text: explanationText, tree } };
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/sessions/:country_code/:party_id/:session_id/close',
      summary: 'End a charge of ours of which its station will not say that it stopped: it is billed to its newest meter reading',
      params: z.strictObject({ ...ofParty, session_id: OcpiId }),
      body: z.strictObject({
        reason: z.string().trim().min(1).max(200).meta({ description: 'stands among the findings of the CDR: name no person' }),
      }),
      answer: z.object({ closed: z.boolean().meta({ description: 'false: it was over before' }) }),
      async handle({ params: { country_code: countryCode, party_id: partyId, session_id: sessionId }, body: { reason } }) {
        const { closed } = await bus.ask(closeSession, { party: { countryCode, partyId }, sessionId, because: reason }, { timeoutMs: CLOSE_MS });
        return { closed };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/stations', summary: 'Charging stations and their connectors as they are now',
      answer: z.object({ stations: z.array(StationView) }),
      handle: async () => ({ stations: (await bus.ask(describeStations, {})).stations.map(stationOf) }),
    }),
  ];
}

/** Whoever knows the Session says it, also while nobody knows its tariff. */
function unexplained(error: unknown): { explanationJson?: undefined; explanationText: string } {
  if (!isAskFailure(error)) throw error;
  return { explanationText: `It cannot be explained now: ${error instanceof Refused ? error.detail : error.message}\n` };
}

function moneyRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/cdrs/:country_code/:party_id/:cdr_id',
      summary: 'A CDR with its price explained and reckoned again',
      params: z.strictObject({ ...ofParty, cdr_id: CdrId }),
      answer: z.object({
        cdr: OcpiObject, findings: Findings, explanation: Explanation,
        repriced: z.object({ excl_vat: z.string(), incl_vat: z.string().optional() }),
      }),
      async handle({ params: { country_code: countryCode, party_id: partyId, cdr_id: cdrId } }) {
        const found = await bus.ask(getCdr, { party: { countryCode, partyId }, cdrId });
        if (!found.cdrJson) {
          throw new Problem(404, 'unknown-cdr', `cdr_id: ${countryCode}*${partyId} has no CDR ${cdrId} here`);
        }
        const { repricedExclVat: excl_vat, repricedInclVat: incl_vat } = found;
        return {
          cdr: fromJsonBytes<Record<string, unknown>>(found.cdrJson), ...explained(found),
          repriced: { excl_vat, ...(incl_vat === undefined ? {} : { incl_vat }) },
        };
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/cdrs/:cdr_id/correct',
      summary: 'Credit a CDR of ours in full and issue its replacement',
      params: z.strictObject({ cdr_id: CdrId }), takesKey: true,
      body: z.strictObject({
        reason: z.string().trim().min(1).max(255),
        tariff: OcpiObject.optional(),
        energy_wh: z.string().regex(/^\d{1,12}(\.\d{1,6})?$/, 'Wh as decimal text, such as "12400"').optional(),
        without_replacement: z.boolean().default(false),
      }),
      answer: z.object({
        credit_cdr_id: z.string(), replacement_cdr_id: z.string().optional(),
        warnings: z.array(z.string()).meta({ description: 'why its partner is not told of it by OCPI: it is corrected all the same' }),
      }),
      async handle({ params: { cdr_id: cdrId }, body, key }) {
        const { reason, tariff, energy_wh: energyWh, without_replacement: withoutReplacement } = body;
        const corrected = await bus.ask(correctCdr, {
          cdrId, reason, withoutReplacement,
          ...(tariff === undefined ? {} : { tariffJson: toJsonBytes(tariff) }),
          ...(energyWh === undefined ? {} : { energyWh }),
        }, key === undefined ? {} : { commandId: key });
        const { creditCdrId: credit_cdr_id, replacementCdrId: replacement_cdr_id, tokenParty } = corrected;
        const warnings = tokenParty ? await correctionWarnings(bus, tokenParty) : [];
        return { credit_cdr_id, ...(replacement_cdr_id === undefined ? {} : { replacement_cdr_id }), warnings };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/ledger', summary: 'Reckon the chains of the CDR ledger again',
      answer: z.object({ chains: z.array(ChainView) }),
      handle: async () => ({ chains: (await bus.ask(verifyLedger, {}, { timeoutMs: VERIFY_MS })).chains.map(chainOf) }),
    }),
  ];
}

function siteRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/sites/:site_id/plan',
      summary: 'The feeder, and what each charger may draw and why',
      params: z.strictObject({ site_id: z.string().regex(/^[\x20-\x7e]{1,100}$/, '1 to 100 printable ASCII characters') }),
      answer: PlanView,
      handle: async ({ params }) => planOf(await bus.ask(explainPlan, { siteId: params.site_id })),
    }),
  ];
}
