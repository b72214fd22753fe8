import pg from 'pg';
import { busMigrations, type Fact, hears, listen, outbox, startRelay, told } from '#bus';
import { type AccountCreditChanged, accountCreditChanged } from '#contracts/accounts';
import { orderStop, type OrderStop, partnerSessionChanged } from '#contracts/sessions';
import { tokenChanged } from '#contracts/tokens-auth';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import type { Session, Token } from '#ocpi';
import { openDatabase } from '#postgres';
import { carbonPlunk, oasis } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

/** The ledger of an eMSP that keeps accounts, and those who tell it of tokens and Sessions. */
export interface RetailPlatform extends LedgerPlatform {
  readonly stops: OrderStop[];
  /** What `orderStop` is refused with, one after the other. */
  readonly stopRefusals: string[];
  readonly credits: AccountCreditChanged[];
  issue(...tokens: Token[]): Promise<void>;
  sessionMoves(session: Session): Promise<void>;
  /** The texts of all events of accounts and charges, in the log's order. */
  accountEntries(): Promise<string[]>;
}

export const plunk = {
  ...carbonPlunk,
  name: 'Carbon Plunk',
  roles: ['EMSP'],
  currency: 'CAD',
};

/** 5 % and 0.50 a session on top, 20 dollars of credit. */
export const plus = {
  default_plan: 'plus',
  limits: { CAD: '20' },
  plans: [
    {
      id: 'plus',
      name: 'Plus',
      versions: [{ from: '2022-01-01T08:00:00Z', kind: 'mark-up', per_session: { CAD: '0.50' }, percent: '5' }],
    },
    { id: 'pass', name: 'Pass', versions: [{ from: '2022-01-01T08:00:00Z', kind: 'pass-through' }] },
  ],
};

export interface RetailPlatformOptions {
  readonly clock?: string;
  readonly ledger?: object;
  readonly before?: (databaseUrl: string) => Promise<unknown>;
}

export async function retailPlatform(
  retail: object = plus,
  { clock = '2022-02-01T18:22:00Z', ledger: section = {}, before }: RetailPlatformOptions = {},
): Promise<RetailPlatform> {
  const ledger = await ledgerPlatform({ party: plunk, retail, ledger: section }, clock, before);
  const { bus, databaseUrl, ledgerDb } = ledger;
  const closing: (() => Promise<unknown>)[] = [];
  const teller = async (context: 'tokens-auth' | 'partner-sessions', schema: string) => {
    const db = await openDatabase({ url: databaseUrl, schema, migrations: busMigrations });
    const box = outbox(context, db);
    const relay = startRelay(bus, box);
    closing.push(() => db.close(), () => relay.close());
    return { db, tell: (fact: Fact, about: string) => db.tx((tx) => box.tell(tx, [{ ...fact, about }])) };
  };
  const tokens = await teller('tokens-auth', 'tokens');
  const sessions = await teller('partner-sessions', 'partner_sessions');
  const stops: OrderStop[] = [];
  const stopRefusals: string[] = [];
  await bus.answer(orderStop, (requests) =>
    requests.map((request) => {
      const refusal = stopRefusals.shift();
      if (refusal) return new Rejected(refusal);
      stops.push(request);
      const { orderId, tokenUid, sessionId, party } = request;
      const order = { orderId, tokenUid, sessionId, party: party!, command: 'STOP_SESSION', state: 'sent' };
      return { order: { ...order, result: '', message: '', at: '2022-02-01T18:30:00Z' } };
    }),
  );
  const credits: AccountCreditChanged[] = [];
  const listening = await listen(bus, tokens.db, {
    listener: 'tokens',
    hearings: [hears(accountCreditChanged, (fact) => void credits.push(fact))],
  });
  closing.push(() => listening.close());
  const party = { countryCode: oasis.country_code, partyId: oasis.party_id };
  return {
    ...ledger,
    stops,
    stopRefusals,
    credits,
    async issue(...issued) {
      for (const token of issued) {
        const { country_code: countryCode, party_id: partyId, uid, type, last_updated: lastUpdated } = token;
        const fact = told(tokenChanged, {
          own: true, party: { countryCode, partyId }, uid, type, lastUpdated, tokenJson: toJsonBytes(token),
        });
        await tokens.tell(fact, uid);
      }
    },
    sessionMoves: (session) =>
      sessions.tell(
        told(partnerSessionChanged, { party, sessionId: session.id, sessionJson: toJsonBytes(session) }),
        session.id,
      ),
    accountEntries: () => accountEntries(ledgerDb),
    async stop() {
      for (const close of closing.reverse()) await close();
      await ledger.stop();
    },
  };
}

async function accountEntries(db: pg.Pool): Promise<string[]> {
  const { rows } = await db.query<{ data: string }>(
    `SELECT data FROM events WHERE stream LIKE 'account-%' OR stream LIKE 'charge-%' ORDER BY "position"`,
  );
  return rows.map(({ data }) => data);
}
