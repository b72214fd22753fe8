import { z } from 'zod';
import { ConnectorType } from '#ocpi';
import type { Charges } from './charges.ts';
import { ChargeView } from './charge.ts';
import { EvseView, type SearchEvses } from './evses.ts';
import { between, CdrId, CountryCode, Limit, numberText, OcpiId, ofCharge, PartyId } from './fields.ts';
import { languageAsked, ofLanguage } from './language.ts';
import type { Live } from './live.ts';
import { type Receipts, ReceiptView, WholeReceipt } from './receipts.ts';
import { driverRoute, type Route } from './route.ts';

/** Each of their prices is asked for again for every other start. */
const COMPARED_EVSES = 10;

const search = z.strictObject({
  latitude: numberText(between(z.number('a number from -90 to 90'), -90, 90, 'a number').optional()),
  longitude: numberText(between(z.number('a number from -180 to 180'), -180, 180, 'a number').optional()),
  radius_m: numberText(between(z.int('a whole number from 1 to 200000'), 1, 200_000, 'a whole number').optional()),
  connector: ConnectorType.optional(),
  available: z.enum(['true', 'false']).default('false'),
  limit: Limit(100, 50),
  language: ofLanguage,
  alternatives_within_h: numberText(between(z.int('a whole number from 1 to 24'), 1, 24, 'a whole number').optional())
    .meta({ description: `what the same charge costs when begun later, so far ahead; takes a limit of at most ${COMPARED_EVSES}` }),
  alternatives_every_min: numberText(between(z.int('a whole number from 30 to 240'), 30, 240, 'a whole number').optional())
    .meta({ description: 'how far those starts lie apart; 30 without it' }),
}).superRefine((query, context) => {
  const { latitude, longitude, radius_m: radiusM, limit, alternatives_within_h: withinH, alternatives_every_min: everyMin } = query;
  const say = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (latitude !== undefined && longitude === undefined) say('longitude', 'is required beside latitude');
  if (longitude !== undefined && latitude === undefined) say('latitude', 'is required beside longitude');
  if (radiusM !== undefined && latitude === undefined) say('latitude', 'is required beside radius_m');
  if (withinH !== undefined && limit > COMPARED_EVSES) say('limit', `at most ${COMPARED_EVSES} beside alternatives_within_h`);
  if (withinH === undefined && everyMin !== undefined) say('alternatives_within_h', 'is required beside alternatives_every_min');
});

export interface DriverParts {
  readonly charges: Charges;
  readonly live: Live;
  readonly receipts: Receipts;
  readonly evses: SearchEvses;
}

export function driverRoutes({ charges, live, receipts, evses }: DriverParts): Route[] {
  return [
    driverRoute({
      method: 'GET', path: '/v1/evses', summary: 'Find EVSEs, nearest first, with what a charge would cost',
      query: search,
      answer: z.object({ evses: z.array(EvseView) }),
      async handle({ driver, query, reply }) {
        const { alternatives_within_h: withinH, alternatives_every_min: everyMin = 30, ...wanted } = query;
        const language = languageAsked({ query, reply });
        const ahead = withinH === undefined ? undefined : { withinS: 3_600 * withinH, everyS: 60 * everyMin };
        return { evses: await evses(driver, { ...wanted, available: wanted.available === 'true', language, ahead }) };
      },
    }),
    driverRoute({
      method: 'POST', path: '/v1/charges', summary: 'Order a charge', takesKey: true, status: 202,
      body: z.strictObject({
        country_code: CountryCode, party_id: PartyId, location_id: OcpiId, evse_uid: OcpiId,
        connector_id: OcpiId.optional(),
      }),
      answer: z.object({ charge_id: z.string() }),
      handle: async ({ driver, body, key }) => ({ charge_id: await charges.start(driver, body, key) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/charges', summary: 'Your charges, newest first, also those begun with a card',
      query: z.strictObject({ limit: Limit(100, 20) }),
      answer: z.object({ charges: z.array(ChargeView) }),
      handle: async ({ driver, query }) => ({ charges: await charges.list(driver, query.limit) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/charges/:charge_id', summary: 'A charge as it is now', params: ofCharge,
      answer: ChargeView,
      handle: ({ driver, params: { charge_id: id } }) => charges.find(driver, id),
    }),
    driverRoute({
      method: 'GET', path: '/v1/charges/:charge_id/events', params: ofCharge, streams: true,
      summary: 'A charge as it happens: server-sent events named charge, until it is completed, failed or refused',
      answer: ChargeView,
      handle: ({ driver, params: { charge_id: id }, reply }) => live.stream(driver, id, reply),
    }),
    driverRoute({
      method: 'POST', path: '/v1/charges/:charge_id/stop', summary: 'Order the end of a charge',
      takesKey: true, status: 202, params: ofCharge,
      answer: z.object({ stop_id: z.string() }),
      handle: async ({ driver, params: { charge_id: id }, key }) => ({ stop_id: await charges.stop(driver, id, key) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/receipts', summary: 'Your receipts, newest first',
      query: z.strictObject({ limit: Limit(100, 50) }),
      answer: z.object({ receipts: z.array(ReceiptView) }),
      handle: async ({ driver, query }) => ({ receipts: await receipts.list(driver, query.limit) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/receipts/:country_code/:party_id/:cdr_id',
      summary: 'A receipt with its price explained',
      params: z.strictObject({ country_code: CountryCode, party_id: PartyId, cdr_id: CdrId }),
      query: z.strictObject({ language: ofLanguage.meta({ description: 'of how your price came about; without it by the header Accept-Language. The detail of a finding is in English' }) }),
      answer: WholeReceipt,
      handle: ({ driver, params: id, ...asking }) => receipts.find(driver, id, languageAsked(asking)),
    }),
  ];
}
