import { z } from 'zod';
import type { Bus } from '#bus';
import { chooseQuirks, listQuirks, type PartnerQuirk } from '#contracts/ocpi-gateway';
import { ofPartner } from './fields.ts';
import { operatorRoute, type Route } from './route.ts';

const NAMES_MAX = 50;

export const QuirkNames = z.array(z.string().regex(/^[a-z][a-z-]{1,49}$/, 'a quirk such as unencoded-token')).max(NAMES_MAX);

const QuirkView = z.object({
  name: z.string(),
  what: z.string().meta({ description: 'what the partner does' }),
  rule: z.string().meta({ description: 'of OCPI 2.2.1, against which it is' }),
  seen: z.string().meta({ description: 'how it is noticed' }),
  accepted: z.string().optional().meta({ description: 'what is done about it for everybody; absent: nothing' }),
  choice: z.string().optional().meta({ description: 'what choosing it for this partner changes; absent: there is nothing to choose' }),
  times: z.int().meta({ description: 'how often it was seen of this partner' }),
  first_at: z.string().optional(),
  last_at: z.string().optional(),
  detail: z.string().optional().meta({ description: 'of the last time' }),
  chosen_at: z.string().optional().meta({ description: 'since when it is chosen; absent: it is not' }),
  suggested: z.boolean().meta({ description: 'it was seen, could be chosen, and is not' }),
}).meta({ id: 'Quirk' });

function viewOf({
  name,
  what,
  rule,
  seen,
  accepted,
  chosen,
  times,
  firstAt,
  lastAt,
  detail,
  chosenAt,
  suggested,
}: PartnerQuirk): z.infer<typeof QuirkView> {
  return {
    name,
    what,
    rule,
    seen,
    times,
    suggested,
    ...(accepted && { accepted }),
    ...(chosen && { choice: chosen }),
    ...(firstAt && { first_at: firstAt }),
    ...(lastAt && { last_at: lastAt }),
    ...(detail && { detail }),
    ...(chosenAt && { chosen_at: chosenAt }),
  };
}

/** What partners do otherwise than OCPI has it, and what an operator chose about it. */
export function quirkRoutes(bus: Bus): Route[] {
  const path = '/v1/operator/partners/:partner_id/quirks';
  const answer = z.object({ quirks: z.array(QuirkView) });
  return [
    operatorRoute({
      method: 'GET', path, params: ofPartner, answer,
      summary: 'All quirks that are known of partners: what was seen of this one, what is chosen, what is suggested',
      handle: async ({ params: { partner_id: partnerId } }) => ({ quirks: (await bus.ask(listQuirks, { partnerId })).quirks.map(viewOf) }),
    }),
    operatorRoute({
      method: 'POST', path, params: ofPartner, answer,
      summary: 'Choose how this partner is spoken to: it holds from the next request on',
      body: z.strictObject({ set: QuirkNames.default([]), unset: QuirkNames.default([]) })
        .refine(({ set, unset }) => !set.some((name) => unset.includes(name)), { path: ['unset'], error: 'names what set names, too' }),
      handle: async ({ params: { partner_id: partnerId }, body: { set, unset } }) =>
        ({ quirks: (await bus.ask(chooseQuirks, { partnerId, set, unset })).quirks.map(viewOf) }),
    }),
  ];
}
