import { z } from 'zod';
import type { Bus } from '#bus';
import { agreementJson, agreementOf, type AgreementVersion, getAgreement, setAgreement } from '#contracts/agreements';
import { busParty } from '#contracts/party';
import { type AgreementTerms, termsDigest } from '#settlement';
import type { OwnParties } from '#settings';
import { agreementWarnings } from './agreement-warnings.ts';
import { Currency, Instant, Limit, ofParty, OwnParty, ownParty } from './fields.ts';
import { Problem } from './problem.ts';
import { FileAnswer, operatorRoute, type Route } from './route.ts';
import { Statements, type StatementId } from './statements.ts';

const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month, such as 2022-02');
const Days = z.int().min(0).max(90);

const PartyTerms = z.strictObject({
  ...ofParty,
  name: z.string().min(1).max(100),
  address: z.array(z.string().min(1).max(100)).max(6).default([]),
  country: z.string().regex(/^[A-Z]{3}$/, 'three letters of ISO 3166-1, such as CAN'),
  state: z.string().max(45).default(''),
  postal_code: z.string().max(10).default(''),
  registrations: z.array(z.strictObject({
    tax: z.string().min(1).max(20).meta({ description: 'GST/HST, QST, VAT' }),
    number: z.string().min(1).max(40),
  })).max(10).default([]),
});

const Fee = z.strictObject({
  name: z.string().min(1).max(60),
  cdrs_of: z.strictObject(ofParty).meta({ description: 'whose CDRs it is reckoned on' }),
  per: z.enum(['session', 'kwh', 'percent']),
  amount: z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, 'a decimal number as text, such as "0.25"'),
  currency: z.union([Currency, z.literal('')]).default('').meta({ description: 'none for a percentage' }),
  paid_by: z.enum(['CPO', 'EMSP']).meta({ description: 'CPO: who issued those CDRs; EMSP: who received them' }),
});

const Ids = z.array(z.string().min(1).max(36)).max(500).default([]);

const SmartCharging = z.strictObject({
  token_party: z.strictObject(ofParty).meta({ description: 'of whose tokens: at your stations, or, where it is yours, anywhere' }),
  contract_ids: Ids.meta({ description: 'of these contracts only; none: of all' }),
  locations: Ids.meta({ description: 'at these Locations only, * for any characters; none: at all' }),
  consent: z.string().min(1).max(200).meta({ description: 'who allowed it, and where that is written' }),
  since: Instant.optional(),
  until: Instant.optional(),
});

/** The same on both sides: parties are named by their ids. */
export const Agreement = z.strictObject({
  valid_from: Month,
  time_zone: z.string().min(1).max(60),
  closing_days: Days.default(10),
  payment_days: Days.default(30),
  currencies: z.array(Currency).min(1).max(20),
  fee_tax_place: z.enum(['payer', 'supplier']).default('payer'),
  parties: z.array(PartyTerms).length(2),
  fees: z.array(Fee).max(20).default([]),
  grants: z.strictObject({
    tariffs: z.array(z.string().min(1).max(36)).max(500).default([])
      .meta({ description: 'your tariffs that are for this partner, and whom else you grant them, only' }),
    token_priority: z.int().min(0).max(1_000).default(0)
      .meta({ description: 'where several partners issued a uid, its card is of the one with the highest; 0: such a card is refused' }),
    locations: z.array(z.string().min(1).max(36)).max(500).optional()
      .meta({ description: 'ids of the Locations that this partner may see, * for any characters; without it all that are not private' }),
    smart_charging: z.array(SmartCharging).max(50).default([])
      .meta({ description: 'Sessions that this partner, a smart charging service provider (SCSP), may see and limit; none without it' }),
  }).optional().meta({ description: 'yours alone: no part of the fingerprint' }),
}).meta({ id: 'Agreement' });

const AgreementView = z.object({
  version: z.int(),
  at: z.string(),
  fingerprint: z.string().meta({ description: 'your partner has the same, or you have not agreed' }),
  agreement: z.unknown(),
});

const AgreementSet = AgreementView.extend({
  warnings: z.array(z.string()).meta({ description: 'what it names and is not here, with what is: it is set all the same' }),
});

export function settlementRoutes(bus: Bus, own: OwnParties): Route[] {
  return [...agreementRoutes(bus, own), ...statementRoutes(new Statements(bus))];
}

function agreementRoutes(bus: Bus, parties: OwnParties): Route[] {
  const path = '/v1/operator/partners/:country_code/:party_id/agreement';
  const params = z.strictObject(ofParty);
  return [
    operatorRoute({
      method: 'PUT', path, params, takesKey: true, body: Agreement, answer: AgreementSet,
      summary: 'Set what was agreed on with a partner, from a month on',
      async handle({ params: { country_code: countryCode, party_id: partyId }, body, key }) {
        const asked = { partner: { countryCode, partyId }, agreement: agreementOf(body) };
        const set = await bus.ask(setAgreement, asked, key === undefined ? {} : { commandId: key });
        const own = body.parties.find((one) => one.country_code !== countryCode || one.party_id !== partyId) ?? body.parties[0]!;
        const warnings = await agreementWarnings(bus, {
          own: busParty(own), partner: { countryCode, partyId }, parties: body.parties, grants: body.grants, isOurs: parties.has({ country_code: countryCode, party_id: partyId }),
        });
        return { ...agreementView(set), warnings };
      },
    }),
    operatorRoute({
      method: 'GET', path, params, query: z.strictObject({ own_party: OwnParty }), answer: z.object({ versions: z.array(AgreementView) }),
      summary: 'What was agreed on with a partner, by the first month that it holds for',
      async handle({ params: { country_code: countryCode, party_id: partyId }, query }) {
        const { versions } = await bus.ask(getAgreement, { partner: { countryCode, partyId }, ...ownParty(query) });
        return { versions: versions.map(agreementView) };
      },
    }),
  ];
}

function agreementView({ version, at, agreement }: AgreementVersion) {
  const terms = agreementJson(agreement!);
  return { version, at, fingerprint: termsDigest(terms as unknown as AgreementTerms), agreement: terms };
}

const FORMATS = { json: 'application/json', csv: 'text/csv', pdf: 'application/pdf' } as const;
type Format = keyof typeof FORMATS;

function statementRoutes(statements: Statements): Route[] {
  const path = '/v1/operator/statements/:country_code/:party_id/:month';
  const params = z.strictObject({ ...ofParty, month: Month });
  return [
    operatorRoute({
      method: 'GET', path, params, media: [FORMATS.csv, FORMATS.pdf],
      summary: 'What we and a partner owe each other for a month; also by Accept: text/csv, application/pdf',
      query: z.strictObject({ format: z.enum(Object.keys(FORMATS) as [Format, ...Format[]]).optional(), own_party: OwnParty }),
      answer: z.object({ statement: z.unknown(), notes: z.unknown(), text: z.string() }),
      async handle({ params: asked, query, reply }): Promise<FileAnswer | { statement: unknown; notes: unknown; text: string }> {
        const id = idOf({ ...asked, ...query });
        switch (query.format ?? acceptedFormat(reply.request.headers.accept ?? '')) {
          case 'csv': return statements.csv(id);
          case 'pdf': return statements.pdf(id);
          case 'json': return statements.find(id);
        }
      },
    }),
    operatorRoute({
      method: 'GET', path: `${path}/lines`, params,
      summary: 'All CDRs of a statement, page by page: `after` is the `next` of the page before',
      query: z.strictObject({ after: z.string().max(200).default(''), limit: Limit(1_000, 100), own_party: OwnParty }),
      answer: z.object({ lines: z.array(z.unknown()), next: z.string() }),
      handle: async ({ params: asked, query }) => statements.page(idOf({ ...asked, ...query }), query),
    }),
  ];
}

function idOf(
  { country_code: countryCode, party_id: partyId, month, own_party }:
  { country_code: string; party_id: string; month: string; own_party?: string | undefined },
): StatementId {
  return { countryCode, partyId, month, ...ownParty({ own_party }) };
}

/** The first that is asked for of those there are; JSON where anything will do. */
function acceptedFormat(accept: string): Format {
  const wanted = accept.split(',').map((range) => range.split(';')[0]!.trim().toLowerCase()).filter((range) => range !== '');
  for (const range of wanted) {
    if (range === '*/*' || range === 'application/*') return 'json';
    const found = (Object.keys(FORMATS) as Format[]).find((format) => FORMATS[format] === range);
    if (found) return found;
  }
  if (wanted.length === 0) return 'json';
  throw new Problem(406, 'not-acceptable', `accept: there is ${Object.values(FORMATS).join(', ')}`);
}
