import { z } from 'zod';
import type { Bus } from '#bus';
import { eraseContract, type ErasureStanding, getErasure } from '#contracts/erasure';
import { CountryCode, PartyId } from './fields.ts';
import { operatorRoute, type Route } from './route.ts';

/** Every service is asked what it holds, and goes through its rows for it. */
const LOOK_MS = 70_000;

const ErasureView = z.object({
  erasure_id: z.string().optional().meta({ description: 'absent where nothing is erased: a dry run' }),
  at: z.string().meta({ description: 'what happened up to then is forgotten' }),
  state: z.enum(['dry-run', 'going-on', 'done']),
  held: z.array(z.object({ service: z.string(), what: z.string(), count: z.number() }))
    .meta({ description: 'what was held of the contract, and is forgotten' }),
  hindrances: z.array(z.object({ service: z.string(), code: z.string(), detail: z.string() }))
    .meta({ description: 'of a dry run: why the erasure would be refused now' }),
  forgotten_by: z.array(z.string()),
  awaited: z.array(z.object({ service: z.string(), waits_for: z.string().optional() })),
});

/** Forgets a contract in every service: docs/adr/0016. */
export function erasureRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'POST', path: '/v1/operator/erasures', status: 202,
      summary: 'Forget a contract and its tokens everywhere; money, statements and chains stay as they are',
      body: z.strictObject({
        country_code: CountryCode,
        party_id: PartyId,
        contract_id: z.string().regex(/^[\x20-\x7e]{1,36}$/, '1 to 36 printable ASCII characters'),
        dry_run: z.boolean().default(true)
          .meta({ description: 'only says what would be forgotten where; false forgets, for good' }),
      }),
      answer: ErasureView,
      async handle({ body: { country_code: countryCode, party_id: partyId, contract_id: contractId, dry_run: dryRun } }) {
        const party = { countryCode, partyId };
        return viewOf(await bus.ask(eraseContract, { party, contractId, dryRun }, { timeoutMs: LOOK_MS }));
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/erasures/:erasure_id', summary: 'How far an erasure is, and what it waits for',
      params: z.strictObject({ erasure_id: z.uuid() }),
      answer: ErasureView,
      handle: async ({ params }) => viewOf(await bus.ask(getErasure, { erasureId: params.erasure_id })),
    }),
  ];
}

function viewOf({ erasureId, at, kept, hindrances, forgottenBy, awaited }: ErasureStanding): z.input<typeof ErasureView> {
  return {
    ...(erasureId === '' ? {} : { erasure_id: erasureId }),
    at,
    state: erasureId === '' ? 'dry-run' : awaited.length > 0 ? 'going-on' : 'done',
    held: kept.map(({ service, what, count }) => ({ service, what, count: Number(count) })),
    hindrances: hindrances.map(({ service, code, detail }) => ({ service, code, detail })),
    forgotten_by: forgottenBy,
    awaited: awaited.map(({ service, waitsFor }) => ({ service, ...(waitsFor === '' ? {} : { waits_for: waitsFor }) })),
  };
}
