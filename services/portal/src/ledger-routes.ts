import { Readable } from 'node:stream';
import { z } from 'zod';
import { readHead, type Signed } from '#chain';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import {
  exportCdrs, exportLedger, getConsistencyProof, getHeads, getReceiptProof, listProjections, type Projection,
  rebuildProjection,
} from '#contracts/ledger';
import { asParquet, PARQUET } from './cdrs-parquet.ts';
import { CdrId, CountryCode, Instant, OwnParty, ownParty, PartyId } from './fields.ts';
import { FileAnswer, operatorRoute, type Route } from './route.ts';

/** A page is read from the database, and the last one is signed. */
const PAGE_MS = 30_000;

const Ledger = z.enum(['cdrs', 'accounts']).default('cdrs')
  .meta({ description: 'accounts: that of the drivers\' accounts, which is not for partners' });
const Day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'a day, such as 2022-02-01');

const HeadView = z.object({
  ledger: z.string(), day: z.string(), since: z.string(), entries: z.int(), link: z.string(), root: z.string(),
  at: z.string(), key: z.string(),
  text: z.string().meta({ description: 'the exact text that is signed' }),
  signature: z.string().meta({ description: 'Ed25519 over the text, base64url' }),
}).meta({ id: 'LedgerHead' });

const ProjectionView = z.object({
  name: z.string(), position: z.int(), log_position: z.int(),
  rebuildable: z.boolean().meta({ description: 'may be dropped and made anew' }),
}).meta({ id: 'Projection' });

export function ledgerRoutes(bus: Bus): Route[] {
  return [...proofRoutes(bus), ...exportRoutes(bus), ...projectionRoutes(bus)];
}

function proofRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/ledger/heads',
      summary: 'The signed heads of the ledger, one for each day, and the public keys; at most 500 behind a day',
      query: z.strictObject({ after_day: Day.optional(), ledger: Ledger, own_party: OwnParty }),
      answer: z.object({ keys: z.array(z.string()), heads: z.array(HeadView) }),
      async handle({ query }) {
        const { heads, keys } = await bus.ask(getHeads, {
          afterDay: query.after_day ?? '', accounts: query.ledger === 'accounts', ...ownParty(query),
        });
        return { keys, heads: heads.map(headView) };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/cdrs/:country_code/:party_id/:cdr_id/proof',
      summary: 'The proof that a CDR is in the ledger, to the newest signed head',
      params: z.strictObject({ country_code: CountryCode, party_id: PartyId, cdr_id: CdrId }),
      query: z.strictObject({
        private: z.enum(['true', 'false']).default('false').meta({ description: 'also what shows whose it is' }),
      }),
      answer: z.record(z.string(), z.unknown()),
      async handle({ params: { country_code: countryCode, party_id: partyId, cdr_id: cdrId }, query }) {
        const party = { countryCode, partyId };
        const { proofJson } = await bus.ask(getReceiptProof, { party, cdrId, withPrivate: query.private === 'true' });
        return fromJsonBytes<Record<string, unknown>>(proofJson);
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/ledger/consistency',
      summary: 'The proof that the ledger only grew from one head to a later one (RFC 6962)',
      query: z.strictObject({ older: Day, newer: Day, ledger: Ledger, own_party: OwnParty }),
      answer: z.object({ older: HeadView, newer: HeadView, path: z.array(z.string()) }),
      async handle({ query }) {
        const { older: olderDay, newer: newerDay } = query;
        const accounts = query.ledger === 'accounts';
        const { older, newer, path } = await bus.ask(getConsistencyProof, { olderDay, newerDay, accounts, ...ownParty(query) });
        return { older: headView(older!), newer: headView(newer!), path };
      },
    }),
  ];
}

function headView(signed: Signed): z.infer<typeof HeadView> {
  const { ledger, day, since, entries, link, root, at, key } = readHead(signed.text)!;
  const { text, signature } = signed;
  return { ledger, day, since, entries, link, root, at, key, text, signature };
}

function exportRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/ledger/export',
      summary: 'The whole ledger as JSON Lines, which npx roamwatt ledger verify verifies',
      query: z.strictObject({ ledger: Ledger, own_party: OwnParty }),
      answer: z.unknown(), media: ['application/jsonl'],
      handle: ({ query }) => {
        const accounts = query.ledger === 'accounts';
        const name = accounts ? 'accounts.jsonl' : 'ledger.jsonl';
        return streamed('application/jsonl', name, (cursor) =>
          bus.ask(exportLedger, { cursor, accounts, ...ownParty(query) }, { timeoutMs: PAGE_MS }));
      },
    }),
    ...cdrRoutes(bus),
  ];
}

function cdrRoutes(bus: Bus): Route[] {
  const query = z.strictObject({ date_from: Instant.optional(), date_to: Instant.optional() });
  const pages = ({ date_from: dateFrom, date_to: dateTo }: z.infer<typeof query>, asJsonLines: boolean) => (cursor: string) => {
    const window = { ...(dateFrom === undefined ? {} : { dateFrom }), ...(dateTo === undefined ? {} : { dateTo }) };
    return bus.ask(exportCdrs, { cursor, asJsonLines, ...window }, { timeoutMs: PAGE_MS });
  };
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/cdrs.csv',
      summary: 'All CDRs and Credit CDRs as CSV, ours and partners\', without what is private',
      query, answer: z.unknown(), media: ['text/csv'],
      handle: (asked) => streamed('text/csv; charset=utf-8', 'cdrs.csv', pages(asked.query, false)),
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/cdrs.parquet',
      summary: 'The same as Apache Parquet, for whoever reckons with millions of them: amounts as decimals, times as timestamps',
      query, answer: z.unknown(), media: [PARQUET],
      handle: (asked) => streamed(PARQUET, 'cdrs.parquet', pages(asked.query, true), asParquet),
    }),
  ];
}

interface LinePage {
  readonly lines: Uint8Array;
  readonly next: string;
}

/** Page after page as the caller takes them. A refusal of the first is the answer; a later one cuts the file. */
async function streamed(
  type: string,
  name: string,
  page: (cursor: string) => Promise<LinePage>,
  turned: (pages: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (same) => same,
): Promise<FileAnswer> {
  const first = await page('');
  async function* pages() {
    yield Buffer.from(first.lines);
    for (let { next } = first; next !== '';) {
      const further = await page(next);
      yield Buffer.from(further.lines);
      next = further.next;
    }
  }
  return new FileAnswer(type, name, Readable.from(turned(pages()), { objectMode: false, highWaterMark: 1 }));
}

function projectionRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/ledger/projections', summary: 'The lists made from the ledger\'s log, and how far they are',
      answer: z.object({ projections: z.array(ProjectionView) }),
      handle: async () => ({ projections: (await bus.ask(listProjections, {})).projections.map(projectionView) }),
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/ledger/projections/:name/rebuild', status: 202,
      summary: 'Drop a list and make it anew from the whole log, while others read and write',
      params: z.strictObject({ name: z.string().regex(/^[a-z][a-z-]{0,40}$/, 'a name such as cdr-list') }),
      answer: ProjectionView,
      handle: async ({ params: { name } }) => projectionView((await bus.ask(rebuildProjection, { name })).projection!),
    }),
  ];
}

function projectionView({ name, position, logPosition, rebuildable }: Projection): z.infer<typeof ProjectionView> {
  return { name, position: Number(position), log_position: Number(logPosition), rebuildable };
}
