import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { listCdrs, listReceivedCdrs } from '#contracts/cdr-ledger';
import { listLocations } from '#contracts/locations';
import type { Page } from '#contracts/party';
import { listSessions } from '#contracts/sessions';
import { CountryCode, Findings, Instant, Limit, numberText, OcpiObject, PartyId } from './fields.ts';
import { operatorRoute, type Route } from './route.ts';

const paging = {
  offset: numberText(z.int('a whole number').min(0, 'at least 0').default(0)),
  limit: Limit(100, 50),
  date_from: Instant.optional().meta({ description: 'changed at it or later' }),
  date_to: Instant.optional().meta({ description: 'changed before it' }),
};
type Paging = z.output<z.ZodObject<typeof paging>>;

const PageView = z.object({
  objects: z.array(OcpiObject),
  total: z.int(),
  next_offset: z.int().optional().meta({ description: 'of the next page; absent on the last one' }),
}).meta({ id: 'Page' });

/** Lists, a page at a time: of what is ours as partners see it over OCPI, and of the CDRs that they sent. */
export function listRoutes(bus: Bus): Route[] {
  const tokenFields = {
    ...paging,
    country_code: CountryCode.optional(),
    party_id: PartyId.optional().meta({ description: 'beside country_code: only for tokens of this party' }),
  };
  const belong = {
    path: ['party_id'], message: 'country_code and party_id belong together',
  };
  const isWhole = (query: { country_code?: string | undefined; party_id?: string | undefined }) =>
    (query.country_code === undefined) === (query.party_id === undefined);
  const ofToken = z.strictObject(tokenFields).refine(isWhole, belong);
  const open = z.literal('true').optional().meta({ description: 'only those that are not over; as they end, those behind them move up: who reads several pages begins anew afterwards' });
  const whose = ({ country_code: countryCode, party_id: partyId }: z.output<typeof ofToken>) => (
    countryCode !== undefined && partyId !== undefined ? { tokenParties: [{ countryCode, partyId }] } : { anyToken: true });
  return [
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/locations',
      summary: 'Locations of ours, also those that no partner sees',
      query: z.strictObject(paging),
      answer: PageView,
      handle: async ({ query }) =>
        viewOf(query, await bus.ask(listLocations, { page: pageOf(query), withPrivate: true })),
    }),
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/sessions',
      summary: "Sessions at our EVSEs, of every partner's drivers and ours",
      query: z.strictObject({ ...tokenFields, open }).refine(isWhole, belong),
      answer: PageView,
      async handle({ query }) {
        return viewOf(query, await bus.ask(listSessions, { ...whose(query), openOnly: query.open === 'true', page: pageOf(query) }));
      },
    }),
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/cdrs',
      summary: "CDRs that we issued, for every partner's drivers and ours",
      query: ofToken,
      answer: PageView,
      async handle({ query }) {
        return viewOf(query, await bus.ask(listCdrs, { ...whose(query), page: pageOf(query) }));
      },
    }),
    operatorRoute({
      method: 'GET',
      path: '/v1/operator/cdrs/received',
      summary: 'CDRs that partners sent, in the order in which they came: `after` is the `next` of the page before',
      query: z
        .strictObject({
          after: z.string().max(20).default(''),
          limit: Limit(100, 50),
          date_from: paging.date_from,
          date_to: paging.date_to,
          country_code: CountryCode.optional(),
          party_id: PartyId.optional().meta({ description: 'beside country_code: only those that this party issued' }),
          in_doubt: z.literal('true').optional().meta({ description: 'only those in which something was found that is not in order' }),
        })
        .refine(isWhole, belong),
      answer: z.object({
        objects: z.array(OcpiObject),
        findings: z.array(Findings).meta({ description: 'in each of them, which a dispute may be about' }),
        next: z.string().meta({ description: 'empty on the last page' }),
      }),
      async handle({ query: { after, limit, date_from, date_to, country_code: countryCode, party_id: partyId, in_doubt } }) {
        const { cdrsJson, found, next } = await bus.ask(listReceivedCdrs, {
          after,
          limit,
          inDoubt: in_doubt === 'true',
          ...(date_from === undefined ? {} : { dateFrom: date_from }),
          ...(date_to === undefined ? {} : { dateTo: date_to }),
          ...(countryCode === undefined || partyId === undefined ? {} : { issuer: { countryCode, partyId } }),
        });
        return {
          objects: cdrsJson.map((each) => fromJsonBytes<Record<string, unknown>>(each)),
          findings: found.map(({ findings }) => findings.map(({ code, detail, figures }) => ({ code, detail, figures }))),
          next,
        };
      },
    }),
  ];
}

function pageOf({ offset, limit, date_from: dateFrom, date_to: dateTo }: Paging) {
  return { offset, limit, ...(dateFrom === undefined ? {} : { dateFrom }), ...(dateTo === undefined ? {} : { dateTo }) };
}

/** A page may be shorter than its limit: it is cut by its bytes, too. */
function viewOf({ offset }: Paging, { objectsJson, total }: Page): z.output<typeof PageView> {
  const next = offset + objectsJson.length;
  return {
    objects: objectsJson.map((each) => fromJsonBytes<Record<string, unknown>>(each)),
    total,
    ...(objectsJson.length > 0 && next < total ? { next_offset: next } : {}),
  };
}
