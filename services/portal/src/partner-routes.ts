import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import {
  approvePartner, type DeadLetter, endPartner, invitePartner, listDeadLetters, listDifferences, listPartners,
  pullPartner, registerPartner, renewPartner, replayDeadLetters,
} from '#contracts/ocpi-gateway';
import { CountryCode, PartyId, Role } from '#ocpi';
import { Limit, OcpiObject, ofPartner } from './fields.ts';
import { PartnerView, partnerOf } from './operator-views.ts';
import { QuirkNames } from './quirk-routes.ts';
import { operatorRoute, type Route } from './route.ts';

/** A handshake is several requests to the partner and back. */
const HANDSHAKE_MS = 60_000;

const Invited = z.array(z.strictObject({
  country_code: CountryCode, party_id: PartyId,
  roles: z.array(Role).max(7).default([]).meta({ description: 'as which; none: any but HUB' }),
})).max(100).default([]);

function invitedOf(parties: z.infer<typeof Invited>) {
  return parties.map(({ country_code: countryCode, party_id: partyId, roles }) => ({ party: { countryCode, partyId }, roles }));
}

const Name = z.string().trim().min(1).max(100);
const Module = z.enum(['locations', 'tariffs', 'tokens', 'sessions', 'cdrs', 'hubclientinfo']);
const ObjectKey = z.string().min(1).max(150);

const LetterView = z.object({
  module: z.string(),
  object: z.string().meta({ description: 'an id within the module; a token\'s is "TYPE uid"' }),
  reason: z.string(),
  since: z.string(),
  version: z.string().meta({ description: 'of OCPI, in which the body is: that of the partner, or 2.2.1 where that cannot say it' }),
  body: OcpiObject.optional().meta({ description: 'the object as it is now, as it is said to the partner; absent when it is withdrawn' }),
}).meta({ id: 'DeadLetter' });

const PullView = z.object({
  module: z.string(),
  party: z.string().optional().meta({ description: 'behind a hub, whose list it is' }),
  ended_at: z.string().optional(),
  full: z.boolean(),
  objects: z.int(),
  differences: z.int(),
  error: z.string(),
}).meta({ id: 'Pull' });

const DifferenceView = z
  .object({
    module: z.string(),
    object: z.string(),
    what: z
      .string()
      .meta({
        description:
          'missing: it was not here; changed: it was older here; gone: it is not listed any more; invalid: it cannot be read',
      }),
    detail: z.string(),
    at: z.string(),
  })
  .meta({ id: 'Difference' });

function letterOf({ key, reason, since, bodyJson, version }: DeadLetter): z.infer<typeof LetterView> {
  return {
    module: key!.module, object: key!.objectId, reason, since, version,
    ...(bodyJson === undefined ? {} : { body: fromJsonBytes<Record<string, unknown>>(bodyJson) }),
  };
}

/** Partners: how links are made, renewed and ended, and what has not reached them. */
export function partnerRoutes(bus: Bus): Route[] {
  return [...linkRoutes(bus), ...lettersRoutes(bus), ...pullRoutes(bus)];
}

function linkRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/invitations',
      status: 201,
      summary: 'Make a TOKEN_A for a partner who will register',
      body: z.strictObject({
        name: Name,
        parties: Invited.meta({ description: 'as whom it may register; none: it waits for an approval after it has' }),
      }),
      answer: z.object({ partner_id: z.string(), token_a: z.string(), versions_url: z.string() }),
      async handle({ body: { name, parties } }) {
        const { partnerId, tokenA, versionsUrl } = await bus.ask(invitePartner, { name, parties: invitedOf(parties) });
        return { partner_id: partnerId, token_a: tokenA, versions_url: versionsUrl };
      },
    }),
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/partners',
      status: 201,
      summary: 'Register with a partner who gave us a TOKEN_A',
      body: z.strictObject({
        name: Name,
        versions_url: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).max(255),
        token_a: z.string().regex(/^[\x21-\x7e]{1,64}$/, '1 to 64 printable characters'),
        quirks: QuirkNames.optional().meta({ description: 'those that are known beforehand' }),
        parties: Invited.meta({ description: 'whom it is; none: whoever answers' }),
      }),
      answer: PartnerView,
      async handle({ body }) {
        const { name, versions_url: versionsUrl, token_a: tokenA, quirks = [], parties } = body;
        const asked = { name, versionsUrl, tokenA, quirks, parties: invitedOf(parties) };
        return partnerOf(await bus.ask(registerPartner, asked, { timeoutMs: HANDSHAKE_MS }));
      },
    }),
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/partners',
      summary: 'Partners, and what still waits to be sent to them',
      answer: z.object({ partners: z.array(PartnerView) }),
      handle: async () => ({ partners: (await bus.ask(listPartners, {})).partners.map(partnerOf) }),
    }),
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/partners/:partner_id/renew',
      params: ofPartner,
      summary:
        'New tokens in both directions, by PUT of our credentials: each month, and when one may be known to others; the old one is good until the new one is used, and where somebody else uses it, end the link',
      answer: PartnerView,
      handle: async ({ params: { partner_id: partnerId } }) =>
        partnerOf(await bus.ask(renewPartner, { partnerId }, { timeoutMs: HANDSHAKE_MS })),
    }),
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/partners/:partner_id/approve',
      params: ofPartner,
      summary:
        'Say for whom a link is meant: for the parties that it names, or for these; what waited for them is sent then',
      body: z.strictObject({ parties: Invited }),
      answer: PartnerView,
      handle: async ({ params: { partner_id: partnerId }, body: { parties } }) =>
        partnerOf(await bus.ask(approvePartner, { partnerId, parties: invitedOf(parties) })),
    }),
    operatorRoute({
      method: 'DELETE',
      path: '/v1/operator/partners/:partner_id',
      params: ofPartner,
      summary: 'End the link: its tokens are dead at once, the partner is told, and cards of its drivers charge no more unless a hub reaches it',
      answer: z.object({ told: z.boolean(), detail: z.string() }),
      handle: async ({ params: { partner_id: partnerId } }) => {
        const { told, detail } = await bus.ask(endPartner, { partnerId }, { timeoutMs: HANDSHAKE_MS });
        return { told, detail };
      },
    }),
  ];
}

function lettersRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/partners/:partner_id/dead-letters',
      params: ofPartner,
      summary: 'What the partner refused: it is sent again when it changes, or by replay',
      query: z.strictObject({
        after_module: Module.optional(),
        after_object: ObjectKey.optional(),
        limit: Limit(100, 20),
      }),
      answer: z.object({ letters: z.array(LetterView), total: z.int() }),
      async handle({
        params: { partner_id: partnerId },
        query: { after_module: module, after_object: objectId, limit },
      }) {
        const after = module === undefined || objectId === undefined ? {} : { after: { module, objectId } };
        const { letters, total } = await bus.ask(listDeadLetters, { partnerId, limit, ...after });
        return { letters: letters.map(letterOf), total };
      },
    }),
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/partners/:partner_id/replay',
      params: ofPartner,
      summary: 'Send dead letters again, all or some: an object as it is now, a CDR as it was issued',
      body: z
        .strictObject({ module: Module.optional(), object: ObjectKey.optional() })
        .refine(({ module, object }) => object === undefined || module !== undefined, {
          path: ['module'],
          error: 'is missing: an object is named with its module',
        }),
      answer: z.object({ queued: z.int() }),
      handle: ({ params: { partner_id: partnerId }, body: { module, object } }) =>
        bus.ask(replayDeadLetters, {
          partnerId,
          ...(module === undefined ? {} : { module }),
          ...(object === undefined ? {} : { objectId: object }),
        }),
    }),
  ];
}

function pullRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'POST',
      path: '/v1/operator/partners/:partner_id/pull',
      params: ofPartner,
      status: 202,
      summary: "Read the partner's lists now: what changed since the last time, or all",
      body: z.strictObject({ full: z.boolean().default(false) }),
      answer: z.object({}),
      async handle({ params: { partner_id: partnerId }, body: { full } }) {
        await bus.ask(pullPartner, { partnerId, full });
        return {};
      },
    }),
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/partners/:partner_id/differences',
      params: ofPartner,
      summary: "How the partner's lists were read last, and what was found to be otherwise than here, the newest first",
      query: z.strictObject({ limit: Limit(1_000, 100) }),
      answer: z.object({ pulls: z.array(PullView), differences: z.array(DifferenceView) }),
      async handle({ params: { partner_id: partnerId }, query: { limit } }) {
        const { pulls, differences } = await bus.ask(listDifferences, { partnerId, limit });
        return {
          pulls: pulls.map(({ module, party, endedAt, full, objects, differences: found, error }) => ({
            module,
            full,
            objects,
            differences: found,
            error,
            ...(party && { party }),
            ...(endedAt && { ended_at: endedAt }),
          })),
          differences: differences.map(({ module, objectId: object, what, detail, at }) => ({
            module,
            object,
            what,
            detail,
            at,
          })),
        };
      },
    }),
  ];
}
