import { type Answering, type Bus, connectBus, each, type Outbox, outbox, busMigrations, startRelay, told } from '#bus';
import { create } from '@bufbuild/protobuf';
import { type AgreementVersion, AgreementVersionSchema, getAgreement, setAgreement } from '#contracts/agreements';
import { correctCdr, getCdr, getStatement, listStatementLines, listTokenCdrs, verifyLedger } from '#contracts/cdr-ledger';
import { explainPlan } from '#contracts/evems-controller';
import { getLocation, searchEvses } from '#contracts/locations';
import {
  endPartner, invitePartner, chooseQuirks, listDeadLetters, listQuirks, listPartners, registerPartner, renewPartner, replayDeadLetters,
} from '#contracts/ocpi-gateway';
import { describeStations } from '#contracts/ocpp-gateway';
import { Change } from '#contracts/party';
import {
  closeSession, explainSession, getOrder, getSession, listTokenSessions, orderChanged, orderReserve, orderStart, orderStop, type OrderStart, partnerSessionChanged,
} from '#contracts/sessions';
import { quote } from '#contracts/tariff-engine';
import { getToken, issueToken } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { type Cdr, exampleCdr, exampleLocation, exampleSession, type Session, type Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { instant, rfc3339 } from '#time';
import type { TestPlatform } from '#test-servers';
import { Accounts } from './accounts.ts';
import { settledStatement } from './settled-statement.ts';

type Told = Parameters<Outbox['tell']>[1][number];
export interface PlayedOrder {
  readonly request: Pick<OrderStart, 'orderId' | 'party' | 'tokenJson' | 'evseUid' | 'locationId'>;
  readonly command?: string;
  state: string;
  result: string;
  message: string;
  sessionId?: string;
}

/**
 * The services behind the portal, played by their contracts on the real bus: each answers from what a
 * test puts here, and the facts of sessions pass through a real log and relay.
 */
export class Neighbours {
  readonly issued = new Map<string, Token>();
  readonly orders = new Map<string, PlayedOrder>();
  readonly stops: { orderId: string; sessionId: string }[] = [];
  readonly sessions = new Map<string, Session>();
  readonly cdrs = new Map<string, Cdr>();
  readonly accounts = new Accounts();
  readonly agreements: AgreementVersion[] = [];
  refuse: { code: string; detail: string } | undefined;
  /** Before an order to start or to reserve is taken. */
  beforeStart: (orderId: string) => Promise<void> = async () => {};
  /** Whether those are there by whom Sessions are explained. */
  /** Listed beside the one, and otherwise as it is. */
  readonly olderPartners: { partnerId: string; name: string; version: string }[] = [];
  explains = true;
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(readonly bus: Bus, private readonly db: Database) {}

  static async play(platform: TestPlatform): Promise<Neighbours> {
    const bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'sessions' });
    const db = await openDatabase({ url: platform.databaseUrl, schema: 'sessions', migrations: busMigrations });
    const neighbours = new Neighbours(bus, db);
    await neighbours.answer();
    neighbours.tellFrom('sessions');
    neighbours.tellFrom('partner-sessions');
    neighbours.closing.unshift(() => bus.close(), () => db.close());
    return neighbours;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  /** What sessions does when an order moves on. */
  async orderMoves(orderId: string, change: Partial<Omit<PlayedOrder, 'request'>>): Promise<void> {
    Object.assign(this.orders.get(orderId)!, change);
    await this.tell('sessions', told(orderChanged, { order: this.view(orderId) }));
  }

  /** What sessions does when a partner pushes a Session. */
  async sessionMoves(session: Session): Promise<void> {
    const { country_code: countryCode, party_id: partyId, id: sessionId } = session;
    this.sessions.set(sessionId, session);
    await this.tell('partner-sessions', told(partnerSessionChanged, {
      party: { countryCode, partyId }, sessionId, sessionJson: toJsonBytes(session),
    }));
  }

  /** Nobody is there to answer these, until they come back. */
  async leave(...verbs: (keyof typeof this.leaving)[]): Promise<void> {
    await Promise.all(verbs.map((verb) => this.answering.get(verb)?.stop()));
  }

  async comeBack(...verbs: (keyof typeof this.leaving)[]): Promise<void> {
    for (const verb of verbs) this.answering.set(verb, await this.leaving[verb]());
  }

  private readonly answering = new Map<string, Answering>();
  private readonly leaving = {
    orderStart: () => this.bus.answer(orderStart, (requests) => each(requests, (request) => this.take('START_SESSION', request))),
    orderReserve: () => this.bus.answer(orderReserve, (requests) => each(requests, ({ evseUid = '', ...request }) => (
      this.take('RESERVE_NOW', { ...request, evseUid })))),
    getOrder: () => this.bus.answer(getOrder, (requests) => each(requests, async ({ orderId }) => ({ order: this.view(orderId) }))),
  };

  private async take(command: string, request: PlayedOrder['request']) {
    if (this.refuse) throw new Rejected(this.refuse.code, this.refuse.detail);
    await this.beforeStart(request.orderId);
    if (!this.orders.has(request.orderId)) {
      this.orders.set(request.orderId, { command, request, state: 'sent', result: '', message: '' });
    }
    return { order: this.view(request.orderId) };
  }

  /** Whether the Location that is found leaves out its operator. */
  namesNoOperator = false;

  private readonly boxes = new Map<string, Outbox>();

  private tellFrom(context: 'sessions' | 'partner-sessions'): void {
    const box = outbox(context, this.db);
    this.boxes.set(context, box);
    const relay = startRelay(this.bus, box);
    this.closing.push(() => relay.close());
  }

  private async tell(context: string, fact: Told): Promise<void> {
    await this.db.tx((tx) => this.boxes.get(context)!.tell(tx, [fact]));
  }

  private view(orderId: string) {
    const order = this.orders.get(orderId);
    if (!order) throw new Rejected('unknown-order', `no order ${orderId}`);
    const { request, ...rest } = order;
    return {
      orderId, command: 'START_SESSION', ...rest, party: request.party!, at: '2022-02-01T17:00:00Z',
      tokenUid: fromJsonBytes<Token>(request.tokenJson).uid,
    };
  }

  private async answer(): Promise<void> {
    await this.answerAboutPlaces();
    await this.answerAboutCharges();
    await this.answerTheOperator();
    await this.accounts.answer(this.bus);
  }

  private async answerAboutPlaces(): Promise<void> {
    const { bus, issued } = this;
    await bus.answer(issueToken, (requests) => each(requests, async ({ tokenJson }) => {
      const token = fromJsonBytes<Token>(tokenJson);
      issued.set(token.uid, { ...token, country_code: 'CA', party_id: 'CPK' });
      return { change: Change.CREATED };
    }));
    await bus.answer(getToken, (requests) => requests.map(({ uid }) => {
      const token = issued.get(uid);
      return token ? { tokenJson: toJsonBytes(token), noCredit: this.accounts.noCredit } : {};
    }));
    await bus.answer(searchEvses, (requests) =>
      requests.map(({ connectorStandards, latitude }) => ({
        evses: exampleLocation
          .evses!.filter(
            ({ connectors }) =>
              connectorStandards.length === 0 ||
              connectors.some(({ standard }) => connectorStandards.includes(standard)),
          )
          .map(({ uid: evseUid }) => ({
            party: oasis,
            locationId: exampleLocation.id,
            evseUid,
            locationJson: toJsonBytes({ ...exampleLocation, ...(this.namesNoOperator ? { operator: undefined } : {}) }),
            ...(latitude === undefined ? {} : { distanceM: 120 }),
          })),
      })),
    );
    await bus.answer(getLocation, (requests) => requests.map(({ locationId }) => (
      locationId === exampleLocation.id ? { locationJson: toJsonBytes(exampleLocation) } : {})));
    await bus.answer(quote, (requests) =>
      requests.map(({ tariffIds, durationS, language, startAt, alternativesWithinS, alternativesEveryS }) =>
        tariffIds.includes('L2')
          ? {
              alternatives: laterStarts(startAt, alternativesWithinS, alternativesEveryS),
              currency: 'CAD',
              exclVat: '6.00',
              inclVat: '6.30',
              sentence: language === 'fr' ? '0,30 CAD par kWh' : `0.30 CAD a kWh, for ${durationS} s`,
              explanationJson: toJsonBytes({}),
            }
          : new Rejected('no-tariff-applies', 'none of the tariffs is known'),
      ),
    );
  }

  private async answerAboutCharges(): Promise<void> {
    const { bus } = this;
    await this.comeBack('orderStart', 'orderReserve', 'getOrder');
    await bus.answer(orderStop, (requests) => each(requests, async ({ orderId, sessionId, party, tokenUid }) => {
      this.stops.push({ orderId, sessionId });
      const at = '2022-02-01T18:00:00Z';
      return { order: { orderId, command: 'STOP_SESSION', state: 'sent', result: '', message: '', party: party!, tokenUid, at } };
    }));
    await bus.answer(getSession, (requests) => requests.map(({ sessionId }) => {
      const session = this.sessions.get(sessionId);
      return session ? { sessionJson: toJsonBytes(session), own: false } : { own: false };
    }));
    await bus.answer(closeSession, (requests) => requests.map(({ sessionId, because }) => (
      sessionId === 'S-1' ? { closed: because === 'it burned down' } : new Rejected('station-connected', 'it is connected'))));
    await bus.answer(explainSession, (requests) => each(requests, async ({ sessionId }) => {
      if (!this.explains) throw new Rejected('unanswered', 'tariff-engine does not answer');
      return this.sessions.has(sessionId) ? { explanationJson: toJsonBytes({ currency: 'CAD' }), explanationText: 'To pay: 4.47 CAD.' } : {};
    }));
    await bus.answer(listTokenSessions, (requests) => requests.map(({ tokenUid }) => ({
      sessionsJson: [...this.sessions.values()].filter(({ cdr_token }) => cdr_token.uid === tokenUid).map(toJsonBytes),
    })));
    await bus.answer(listTokenCdrs, (requests) => requests.map(({ tokenUid }) => ({
      cdrsJson: [...this.cdrs.values()].filter(({ cdr_token }) => cdr_token.uid === tokenUid).map(toJsonBytes),
    })));
    await bus.answer(getCdr, (requests) => requests.map(({ cdrId, language }) => {
      const cdr = this.cdrs.get(cdrId);
      const reckoned = {
        findings: [{ code: 'total-differs', detail: 'by 0.01', figures: { told: '0.01' } }], explanationText: language === 'fr' ? '12,4 kWh à 0,30' : '12.4 kWh at 0.30',
        explanationJson: toJsonBytes({ periods: [] }), repricedExclVat: '4.47', repricedInclVat: '4.69',
      };
      return cdr ? { cdrJson: toJsonBytes(cdr), ...reckoned } : {};
    }));
  }

  private async answerTheOperator(): Promise<void> {
    const { bus } = this;
    const partner = {
      partnerId: 'p1', name: 'Energy OASIS', state: 'registered', version: '2.2.1', versionsUrl: 'https://oasis.example/ocpi/versions',
      roles: [{ role: 'EMSP', party: oasis, name: 'OASIS Cards' }, { role: 'CPO', party: oasis, name: 'OASIS Charging Ltd.' }], waiting: 2, lastError: '',
      behind: [{ countryCode: 'CA', partyId: 'BHD' }],
    };
    await bus.answer(invitePartner, (requests) => requests.map(() => (
      { partnerId: 'p1', tokenA: 'A-1', versionsUrl: 'https://plunk.example/ocpi/versions' })));
    await bus.answer(registerPartner, (requests) => requests.map(({ versionsUrl }) => (
      versionsUrl.includes('down.example') ? new Rejected('partner-unreachable', 'connection refused') : partner)));
    await bus.answer(listPartners, (requests) => requests.map(() => ({ partners: [partner, ...this.olderPartners.map((one) => ({ ...partner, ...one }))] })));
    const letter = {
      key: { module: 'tariffs', objectId: 'L2' },
      reason: 'HTTP 200, 2001: no',
      since: '2022-02-01T17:00:00Z',
      version: '2.1.1',
      bodyJson: toJsonBytes({ id: 'L2' }),
    };
    await bus.answer(listDeadLetters, (requests) => requests.map(({ partnerId, after }) => (
      partnerId === 'p1' ? { letters: after ? [] : [letter], total: 1 } : new Rejected('unknown-partner', `no ${partnerId}`))));
    await bus.answer(replayDeadLetters, (requests) => requests.map(({ module, objectId }) => (
      objectId === 'GONE' ? new Rejected('unknown-letter', 'none') : { queued: module === undefined ? 1 : 2 })));
    const quirk = {
      name: 'unencoded-token',
      what: 'writes it as it is',
      rule: 'TRN-04',
      seen: 'a request',
      accepted: 'both',
      chosen: 'it goes as it is',
    };
    await bus.answer(listQuirks, (requests) =>
      requests.map(() => ({
        quirks: [
          {
            ...quirk,
            times: 3,
            firstAt: '2022-02-01T17:00:00Z',
            lastAt: '2022-02-01T17:10:00Z',
            detail: 'GET of locations',
            suggested: true,
          },
        ],
      })),
    );
    await bus.answer(chooseQuirks, (requests) => requests.map(({ set, unset }) => (
      set.includes('no-linc') ? new Rejected('no-such-quirk', 'there is no quirk "no-linc"')
        : { quirks: [{ ...quirk, times: 0, suggested: false, ...(unset.length > 0 ? {} : { chosenAt: '2022-02-01T17:20:00Z' }) }] })));
    await bus.answer(renewPartner, (requests) => requests.map(() => partner));
    await bus.answer(endPartner, (requests) => requests.map(() => ({ told: true, detail: 'HTTP 200, 1000' })));
    await bus.answer(describeStations, (requests) => requests.map(() => ({
      stations: [{
        stationId: 'OASIS-L2-01', connected: true, lastSeenAt: '2022-02-01T17:00:00Z', vendor: 'V', model: 'M',
        connectors: [{ connectorId: 1, status: 'Charging', statusAt: '2022-02-01T17:00:00Z', transactionId: '7' }],
      }],
    })));
    await bus.answer(correctCdr, (requests) => requests.map(({ cdrId, withoutReplacement }) => (
      cdrId === 'GONE' ? new Rejected('unknown-cdr', 'no CDR GONE')
        : { creditCdrId: `${cdrId}-C`, tokenParty: oasis, ...(withoutReplacement ? {} : { replacementCdrId: `${cdrId.slice(0, -1)}2` }) })));
    const { statement, lines } = settledStatement(7, '');
    await bus.answer(getStatement, (requests) =>
      requests.map(({ month }) => ({
        statementJson: toJsonBytes({ ...statement, month }),
        notesJson: toJsonBytes({ awaiting: 0, disputed: [], findings: [] }),
        text: `Owed for ${month}`,
      })),
    );
    // Pages of three, whatever was asked for: as if they were cut by their bytes.
    await bus.answer(listStatementLines, (requests) => requests.map(({ after }) => {
      const from = Number(after || '0');
      const page = lines.slice(from, from + 3);
      return { linesJson: page.map(toJsonBytes), next: page.length === 0 ? '' : String(from + page.length) };
    }));
    await bus.answer(setAgreement, (requests) => each(requests, async ({ agreement }) => {
      if (agreement!.validFrom < '2022-02') throw new Rejected('month-closed', 'valid_from: was closed');
      const set = { version: this.agreements.length + 1, at: '2022-02-01T18:00:00Z', agreement: agreement! };
      this.agreements.push(create(AgreementVersionSchema, set));
      return set;
    }));
    await bus.answer(getAgreement, (requests) => requests.map(() => ({ versions: this.agreements })));
    await bus.answer(verifyLedger, (requests) => requests.map(() => ({
      chains: [{ chain: 'CA*BCT', entries: 3, head: 'ab', intact: true, problem: '' }],
    })));
    await bus.answer(explainPlan, (requests) =>
      requests.map(({ siteId }) =>
        siteId !== 'BURNABY-L2'
          ? new Rejected('unknown-site', `no site ${siteId}`)
          : {
              siteId,
              feeder: 'Level-2 panel',
              limitMa: 192_000,
              exposedMa: 32_000,
              ownerEpoch: 1,
              limits: [
                {
                  stationId: 'OASIS-L2-01',
                  connectorId: 1,
                  wantsPower: true,
                  targetMa: 32_000,
                  confirmedMa: 32_000,
                  exposedMa: 32_000,
                  why: 'fair share',
                },
              ],
            },
      ),
    );
  }
}

export const oasis = { countryCode: 'CA', partyId: 'BCT' };

const tokenOf = (uid: string) => ({ ...exampleSession.cdr_token, uid });

export function sessionOf(uid: string, changes: Partial<Session> = {}): Session {
  const { end_date_time: _end, ...rest } = exampleSession;
  return {
    ...rest, cdr_token: tokenOf(uid), status: 'ACTIVE', kwh: 1.6, total_cost: { excl_vat: 0.48, incl_vat: 0.504 },
    charging_periods: [
      { start_date_time: '2022-02-01T17:00:00Z', dimensions: [{ type: 'ENERGY', volume: 1.6 }, { type: 'TIME', volume: 0.25 }] },
    ],
    last_updated: '2022-02-01T17:15:00Z', ...changes,
  };
}

export function cdrOf(uid: string, changes: Partial<Cdr> = {}): Cdr {
  return { ...exampleCdr, cdr_token: tokenOf(uid), ...changes };
}

/** The second start is the cheapest. */
function laterStarts(startAt: string, withinS: number, everyS: number) {
  return Array.from({ length: withinS === 0 ? 0 : withinS / everyS }, (_, n) => ({
    startAt: rfc3339(instant(startAt) + 1_000 * everyS * n),
    ...(n === 1 ? { exclVat: '4.00', inclVat: '4.20' } : { exclVat: '6.00', inclVat: '6.30' }),
    cheapest: n === 1,
  }));
}
