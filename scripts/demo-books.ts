import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { until } from './demo-play.ts';
import type { Charge, Money, Portal, Receipt } from './portal.ts';
import type { Screen } from './demo-screen.ts';
import type { Stage } from './demo-stage.ts';

type SessionView = NonNullable<Charge['session']>;

export interface Books {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly oasis: Portal;
  readonly plunk: Portal;
  readonly avery: Portal;
  readonly blake: Portal;
  readonly sessions: { readonly avery: SessionView; readonly blake: SessionView };
}

interface CdrView {
  readonly cdr: Record<string, unknown> & {
    readonly id: string;
    readonly total_cost: { readonly excl_vat: number; readonly incl_vat?: number };
    readonly auth_method: string;
    readonly session_id?: string;
  };
  readonly findings: readonly { readonly code: string; readonly detail: string }[];
  readonly explanation: { readonly text: string };
  readonly repriced?: { readonly excl_vat: string; readonly incl_vat?: string };
}

interface StatementView {
  readonly statement: object;
  readonly text: string;
}

const MONTH = '2022-02';

/** As the report did: both databases are looked into, and everything in them has to agree. */
export async function checkBooks(books: Books): Promise<void> {
  const { screen, avery, blake, sessions } = books;
  screen.step('Both databases are checked');
  await checkCharge(books, { driver: avery, name: 'Avery', session: sessions.avery, authMethod: 'COMMAND', explain: true });
  await checkCharge(books, { driver: blake, name: 'Blake', session: sessions.blake, authMethod: 'WHITELIST', explain: false });
  await checkLedgers(books);
  await checkStatements(books, 'The settlement of February');

  screen.step('Energy OASIS corrects the bill: a Credit CDR and a new CDR');
  await correct(books);
  await checkStatements(books, 'The settlement after the correction');
  await checkLedgers(books);
}

interface ChargeToCheck {
  readonly driver: Portal;
  readonly name: string;
  readonly session: SessionView;
  readonly authMethod: string;
  readonly explain: boolean;
}

async function checkCharge(
  { stage, screen, oasis, plunk }: Books,
  { driver, name, session, authMethod, explain }: ChargeToCheck,
): Promise<void> {
  const { country_code, party_id, session_id } = session;
  const receipt = await until(60_000, async () => (await receiptsOf(driver, session_id))[0]);
  screen.check(`${name} has a receipt`, receipt !== undefined, receipt && money(receipt.total));
  if (!receipt) return;
  const sessionPath = `/v1/operator/sessions/${country_code}/${party_id}/${encodeURIComponent(session_id)}`;
  const cdrPath = `/v1/operator/cdrs/${country_code}/${party_id}/${encodeURIComponent(receipt.cdr_id)}`;
  const sides = await Promise.all(
    [oasis, plunk].map(async (side) => ({
      session: (await side.get<{ session: Record<string, unknown> }>(sessionPath)).session,
      cdr: await side.get<CdrView>(cdrPath),
    })),
  );
  const [ours, theirs] = sides as [(typeof sides)[0], (typeof sides)[0]];
  if (explain) {
    screen.beside(
      { title: 'Energy OASIS: Session', text: brief(ours.session) },
      { title: 'Carbon Plunk: Session', text: brief(theirs.session) },
    );
    screen.line();
    screen.beside(
      { title: 'Energy OASIS: CDR', text: brief(ours.cdr.cdr) },
      { title: 'Carbon Plunk: CDR', text: brief(theirs.cdr.cdr) },
    );
    screen.line();
    screen.lines(theirs.cdr.explanation.text);
  }
  screen.check(
    `${name}: both hold the same Session, completed`,
    isDeepStrictEqual(ours.session, theirs.session) && theirs.session['status'] === 'COMPLETED',
    difference(ours.session, theirs.session),
  );
  screen.check(
    `${name}: both hold the same CDR`,
    isDeepStrictEqual(ours.cdr.cdr, theirs.cdr.cdr),
    difference(ours.cdr.cdr, theirs.cdr.cdr),
  );
  screen.check(
    `${name}: auth_method is ${authMethod}`,
    theirs.cdr.cdr.auth_method === authMethod,
    theirs.cdr.cdr.auth_method,
  );
  const { total_cost } = theirs.cdr.cdr;
  const { repriced } = theirs.cdr;
  screen.check(
    `${name}: Carbon Plunk's own price is the one on the bill`,
    repriced !== undefined && Number(repriced.excl_vat) === total_cost.excl_vat && theirs.cdr.findings.length === 0,
    repriced
      ? `${repriced.excl_vat} and ${total_cost.excl_vat}${theirs.cdr.findings.map(({ detail }) => `; ${detail}`).join('')}`
      : 'not priced',
  );
  const counts = await Promise.all(
    [stage.oasis, stage.plunk].map((side) => cdrsInDatabase(side.databaseUrl, session_id)),
  );
  screen.check(
    `${name}: one CDR in each database`,
    counts.every((count) => count === 1),
    counts.join(' and '),
  );
}

async function checkLedgers({ screen, oasis, plunk }: Books): Promise<void> {
  for (const [name, side] of [['Energy OASIS', oasis], ['Carbon Plunk', plunk]] as const) {
    const { chains } = await side.get<{
      chains: { chain: string; entries: number; head: string; intact: boolean; problem?: string }[];
    }>('/v1/operator/ledger');
    for (const { chain, entries, head, intact, problem } of chains)
      screen.line(`   ${name}: ${chain}, ${entries} entries, head ${head.slice(0, 16)}…${intact ? '' : ` ${problem}`}`);
    screen.check(
      `${name}: the ledger verifies, entry by entry`,
      chains.length > 0 && chains.every(({ intact, entries }) => intact && entries > 0),
    );
  }
}

async function checkStatements({ screen, oasis, plunk }: Books, title: string): Promise<void> {
  const [ours, theirs] = await Promise.all([
    oasis.get<StatementView>(`/v1/operator/statements/CA/CPK/${MONTH}`),
    plunk.get<StatementView>(`/v1/operator/statements/CA/BCT/${MONTH}`),
  ]);
  screen.line(`   ${title}`);
  screen.lines(ours.text, '     ');
  const owes = (text: string) => /Carbon Plunk owes Energy OASIS [\d.,]+ CAD/.exec(text)?.[0];
  screen.check(`both sides' statements say the same: ${owes(ours.text) ?? 'nothing'}`,
    owes(ours.text) !== undefined && owes(ours.text) === owes(theirs.text), owes(theirs.text) ?? theirs.text.slice(0, 200));
  screen.check('both made the same statement, to the last digit', isDeepStrictEqual(ours.statement, theirs.statement));
  const fee = /Roaming fee: 2 sessions × 0\.25 = 0\.50 CAD/;
  screen.check(
    'the fee of the agreement and the GST on it are in both',
    [ours, theirs].every(({ text }) => fee.test(text) && text.includes('GST 5 % on 0.50: 0.03 CAD')),
  );
  const printed = await Promise.all([
    oasis.file(`/v1/operator/statements/CA/CPK/${MONTH}?format=pdf`),
    plunk.file(`/v1/operator/statements/CA/BCT/${MONTH}?format=pdf`),
  ]);
  screen.check('both print the same PDF, byte for byte', printed[0]!.equals(printed[1]!), `${printed[0]!.length} bytes`);
}

async function correct({ stage, screen, oasis, avery, sessions }: Books): Promise<void> {
  const { session_id } = sessions.avery;
  const [receipt] = await receiptsOf(avery, session_id);
  if (!receipt) return;
  const tariff = stage.oasis.settings.tariffs.find(({ id }) => id === 'LEVEL-2')!;
  const [element] = tariff.elements;
  const cheaper = {
    ...tariff,
    country_code: 'CA',
    party_id: 'BCT',
    last_updated: '2022-02-01T18:00:00Z',
    elements: [
      {
        price_components: element!.price_components.map((component) =>
          component.type === 'ENERGY' ? { ...component, price: 0.2 } : component,
        ),
      },
    ],
  };
  const reason = 'The sign at the stall said 0.20 CAD per kWh';
  screen.line(`   reason: ${reason}`);
  const corrected = await oasis.post<{ credit_cdr_id: string; replacement_cdr_id?: string }>(
    `/v1/operator/cdrs/${encodeURIComponent(receipt.cdr_id)}/correct`,
    { reason, tariff: cheaper },
  );
  const after = await until(60_000, async () => {
    const receipts = await receiptsOf(avery, session_id);
    return receipts.length === 3 ? receipts : undefined;
  });
  const credit = after?.find(({ cdr_id }) => cdr_id === corrected.credit_cdr_id);
  const replacement = after?.find(({ cdr_id }) => cdr_id === corrected.replacement_cdr_id);
  for (const each of [receipt, credit, replacement])
    if (each) screen.line(`   ${each.cdr_id.padEnd(28)} ${money(each.total).padStart(12)}`);
  screen.check(
    'the Credit CDR takes back the whole first bill',
    credit?.credit === true && Number(credit.total.excl_vat) === -Number(receipt.total.excl_vat),
  );
  screen.check('the new CDR is cheaper, and for the same energy',
    replacement !== undefined && Number(replacement.total.excl_vat) < Number(receipt.total.excl_vat) && replacement.kwh === receipt.kwh);
}

async function receiptsOf(driver: Portal, sessionId: string): Promise<Receipt[]> {
  const { receipts } = await driver.get<{ receipts: Receipt[] }>('/v1/receipts');
  return receipts.filter(({ session_id }) => session_id === sessionId);
}

async function cdrsInDatabase(url: string, sessionId: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT count(*)::int AS count FROM cdr_ledger.cdrs WHERE session_id = $1', [sessionId]);
    return (rows[0] as { count: number }).count;
  } finally {
    await client.end();
  }
}

const money = ({ excl_vat, incl_vat, currency }: Money): string => `${incl_vat ?? excl_vat} ${currency}`;

/** An OCPI object's fields that a person compares first, in the order of their names: both sides store their own. */
function brief(object: Readonly<Record<string, unknown>>): string {
  const { charging_periods, tariffs, cdr_location, signed_data: _signed, ...rest } = object;
  const periods = Array.isArray(charging_periods) ? `charging_periods: ${charging_periods.length}` : '';
  const place = cdr_location ? `cdr_location: ${(cdr_location as { evse_id?: string }).evse_id}` : '';
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [...fields, place, periods, tariffs ? `tariffs: ${(tariffs as unknown[]).length}` : ''].filter(Boolean).sort().join('\n');
}

/** The first field in which two objects differ. */
function difference(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string {
  const field = [...new Set([...Object.keys(a), ...Object.keys(b)])].find((name) => !isDeepStrictEqual(a[name], b[name]));
  return field === undefined ? '' : `${field}: ${JSON.stringify(a[field])?.slice(0, 80)} and ${JSON.stringify(b[field])?.slice(0, 80)}`;
}
