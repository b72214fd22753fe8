import { Refused } from '#bus';
import { verifyExport } from '#chain';
import { getStatement, listStatementLines, verifyLedger } from '#contracts/cdr-ledger';
import { exportLedger } from '#contracts/ledger';
import { partyText } from '#ocpi';
import { type HeldCdr, nextMonth, settle, settledCdr, SettlementCalendar, tallied } from '#settlement';
import { clockFromEnv, zone } from '#time';
import { type AccountEntry, checkAccounts } from './torture-accounts.ts';
import type { Book, Findings } from './torture-book.ts';
import { agreed } from './torture-charge.ts';
import type { Neighbour } from './torture-neighbour.ts';
import type { TortureStage } from './torture-stage.ts';

export interface Checking {
  readonly stage: TortureStage;
  readonly neighbours: readonly [Neighbour, Neighbour];
  readonly books: readonly [Book, Book];
  readonly findings: Findings;
}

interface Entry {
  readonly type: string;
  readonly number?: number;
  readonly commandId?: string;
  readonly cdrId?: string;
  readonly at?: string;
  readonly receivedAt?: string;
  readonly cdr?: { readonly country_code: string; readonly party_id: string; readonly id: string };
}

/** Proves from the logs themselves that all that was acknowledged is there, once, and nothing else. */
export async function checkAll(checking: Checking): Promise<void> {
  for (const n of [0, 1] as const) await checkLedger(checking, n);
  await checkStatements(checking);
}

async function checkLedger({ neighbours, books, findings }: Checking, n: 0 | 1): Promise<void> {
  const [neighbour, book, theirs] = [neighbours[n], books[n], books[n === 0 ? 1 : 0]];
  const us = neighbour.side.party.name;
  const wrong = (what: string) => findings.wrong(`${us}: ${what}`);
  const rows = await neighbour.query<{ data: string }>('SELECT data FROM cdr_ledger.events ORDER BY "position"');
  const all = rows.map(({ data }) => JSON.parse(data) as Entry | AccountEntry);
  const isOfAccount = (entry: Entry | AccountEntry): entry is AccountEntry => 'accountId' in entry;
  const entries = all.filter((entry) => !isOfAccount(entry)) as Entry[];
  const ofAccounts = all.filter(isOfAccount);
  const idsOf = (type: string, id: (entry: Entry) => string | undefined) =>
    entries.filter((entry) => entry.type === type).map((entry) => id(entry) ?? '');
  const cdrId = (entry: Entry) => entry.cdr?.id;
  const same = (what: string, found: readonly string[], wanted: Iterable<string>) => {
    for (const difference of differences(found, [...wanted])) wrong(`${what} ${difference}`);
  };

  const issued = [...idsOf('CdrIssued', cdrId), ...idsOf('CdrCredited', cdrId)];
  same('issued', issued, book.bills.keys());
  same('billed session', idsOf('CdrIssued', (entry) => (entry.number === 1 ? cdrId(entry) : undefined)).filter(Boolean),
    [...book.sessions.keys()].map((session) => `${session}-1`));
  same('received', idsOf('CdrReceived', (entry) => `${cdrId(entry)} at ${entry.receivedAt}`),
    [...theirs.bills.values()].map(({ id, recordedAt }) => `${id} at ${recordedAt}`));
  same('acknowledged', idsOf('CdrAcknowledged', ({ cdrId: id, at }) => `${id} at ${at}`),
    [...book.bills.values()].map(({ id, recordedAt }) => `${id} at ${recordedAt}`));
  same('corrected', idsOf('CdrCredited', ({ commandId }) => commandId), book.corrections.keys());
  same('dispute', idsOf('DisputeOpened', ({ commandId }) => commandId), book.disputes.keys());
  const answers = [...idsOf('DisputeAnswered', ({ commandId }) => commandId), ...idsOf('DisputeWithdrawn', ({ commandId }) => commandId)];
  same('answer', answers, book.answers.keys());
  same('told of', [...book.heardReceived], theirs.bills.keys());

  for (const mark of book.marks) {
    const [trace] = await neighbour.query(
      `SELECT 1 FROM cdr_ledger.events WHERE position('"${mark}"' IN data) > 0
       UNION ALL SELECT 1 FROM cdr_ledger.private_parts WHERE position('"${mark}"' IN body) > 0 LIMIT 1`);
    if (trace) wrong(`${mark}, which was refused, left a trace`);
  }
  const verified = await neighbour.ask(verifyLedger, {});
  const chains = verified instanceof Refused ? [] : verified.chains;
  for (const [name, { length }] of [
    [partyText(neighbour.side.party), entries],
    [`${partyText(neighbour.side.party)}/accounts`, ofAccounts],
  ] as const) {
    const chain = chains.find((one) => one.chain === name);
    if (!chain?.intact || chain.entries !== length)
      wrong(`the chain ${name} of ${chain?.entries} of ${length} entries: ${chain?.problem ?? String(verified)}`);
    findings.count('entries chained', chain?.entries);
  }
  await checkAccounts({ neighbour, entries: ofAccounts, book, theirs, wrong, same, findings });
  await checkExport(neighbour, { entries: entries.length, wrong, findings });
  const [listed] = await neighbour.query<{ n: number }>('SELECT count(*)::int AS n FROM cdr_ledger.cdrs');
  if (listed?.n !== book.bills.size + theirs.bills.size) wrong(`${listed?.n} CDRs are listed`);
  const parked = await neighbour.query<{ key: string; reason: string }>('SELECT key, reason FROM cdr_ledger.parked');
  for (const { key, reason } of parked) wrong(`${key} was parked: ${reason}`);
}

/** What an auditor gets of it: every entry, and the heads of the days that ended meanwhile. */
async function checkExport(
  neighbour: Neighbour,
  { entries, wrong, findings }: { readonly entries: number; readonly wrong: (what: string) => void; readonly findings: Findings },
): Promise<void> {
  const pages: Uint8Array[] = [];
  for (let cursor = ''; ;) {
    const page = await neighbour.ask(exportLedger, { cursor });
    if (page instanceof Refused) return wrong(`the export: ${page.message}`);
    pages.push(page.lines);
    if (page.next === '') break;
    cursor = page.next;
  }
  const verdict = await verifyExport(pages);
  if (verdict.damage) wrong(`the export: ${verdict.damage.at}: ${verdict.damage.detail}`);
  if (verdict.entries !== entries || verdict.heads === 0)
    wrong(`the export has ${verdict.entries} of ${entries} entries, under ${verdict.heads} heads`);
  // Nobody was erased.
  if (verdict.erased > 0) wrong(`${verdict.erased} private parts are lost`);
  findings.count('days signed', verdict.heads);
}

function differences(found: readonly string[], wanted: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const id of found) times.set(id, (times.get(id) ?? 0) + 1);
  return [
    ...wanted.filter((id) => !times.has(id)).map((id) => `${id} is lost`),
    ...[...times].filter(([, n]) => n > 1).map(([id, n]) => `${id} is there ${n} times`),
    ...[...times.keys()].filter((id) => !wanted.includes(id)).map((id) => `${id} is there, and nobody knows of it`),
  ];
}

/** What both ledgers say of each month against each other, and against what was acknowledged. */
async function checkStatements(checking: Checking): Promise<void> {
  const { stage, neighbours, books, findings } = checking;
  const clock = clockFromEnv(stage.clockEnv);
  const calendar = new SettlementCalendar(agreed, zone('America/Vancouver'));
  const parties = stage.sides.map(({ party }) => ({ party: partyText(party), name: party.name }));
  const held = heldCdrs(books, parties.map(({ party }) => party));
  const end = clock.iso().slice(0, 7);
  for (let month = '2022-02'; month <= end; month = nextMonth(month)) {
    const [ours, theirs] = await Promise.all(neighbours.map((_, n) => statementOf(neighbours, n as 0 | 1, month)));
    const now = clock.now();
    if (ours !== theirs) {
      findings.wrong(`the statements of ${month} differ:\n${ours}\n${theirs}`);
      continue;
    }
    const expected = settle({ month, calendar, parties, now, ...tallied(held, { calendar, month, now }) });
    if (withoutLines(JSON.stringify(expected)) !== ours)
      findings.wrong(`the statement of ${month} is not what was acknowledged:\n${ours}\n${withoutLines(JSON.stringify(expected))}`);
    const [lines, others] = await Promise.all(neighbours.map((_, n) => linesOf(neighbours, n as 0 | 1, month)));
    if (lines !== others) findings.wrong(`the lines of the statements of ${month} differ`);
    findings.count('statements');
  }
}

function heldCdrs(books: readonly Book[], issuers: readonly string[]): HeldCdr[] {
  return books.flatMap(({ bills }, n) =>
    [...bills.values()].map(({ cdr, recordedAt }) => ({ ...settledCdr(cdr), issuer: issuers[n]!, acknowledged_at: recordedAt })));
}

async function statementOf(neighbours: readonly Neighbour[], n: 0 | 1, month: string): Promise<string> {
  const answer = await neighbours[n]!.ask(getStatement, { partner: partnerOf(neighbours, n), month });
  return answer instanceof Refused ? answer.message : withoutLines(Buffer.from(answer.statementJson).toString());
}

async function linesOf(neighbours: readonly Neighbour[], n: 0 | 1, month: string): Promise<string> {
  const texts: string[] = [];
  for (let after = ''; ;) {
    const page = await neighbours[n]!.ask(listStatementLines, { partner: partnerOf(neighbours, n), month, after, limit: 0 });
    if (page instanceof Refused) return page.message;
    texts.push(...page.linesJson.map((line) => Buffer.from(line).toString()));
    if (page.next === '' || page.linesJson.length === 0) return texts.join('\n');
    after = page.next;
  }
}

function partnerOf(neighbours: readonly Neighbour[], n: 0 | 1) {
  const { country_code, party_id } = neighbours[n === 0 ? 1 : 0]!.side.party;
  return { countryCode: country_code, partyId: party_id };
}

/** A statement holds its first lines only; they are compared as a list of their own. */
function withoutLines(text: string): string {
  return JSON.stringify(JSON.parse(text, (key, value: unknown) => (key === 'lines' || key === 'lines_left_out' ? undefined : value)));
}

