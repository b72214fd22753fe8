import { randomUUID } from 'node:crypto';
import type { AskFailure, Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { busParty } from '#contracts/party';
import {
  getOrder, listTokenSessions, type OrderStands, orderStart, orderStop, type OrderView,
} from '#contracts/sessions';
import { getToken } from '#contracts/tokens-auth';
import { type Party, sameId, sameParty, type Session, type Token } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import { type ChargeRow, claimCharge, findCharge, listCharges, noteOrderedAgain, noteRefusal } from './charge-rows.ts';
import { chargeOf, type ChargeView, isFinal, type Known, sameOrder, sessionReference } from './charge.ts';
import type { TokenSettings } from './config.ts';
import type { Driver } from './entities.ts';
import { evseFor, isOurs, keyReused, orderIn, ordering, sessionOf, whyNot } from './ordering.ts';
import { Problem } from './problem.ts';
import type { RetailPrices } from './retail.ts';

export interface ChargesParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly retail: RetailPrices;
}

export interface Wanted {
  readonly country_code: string;
  readonly party_id: string;
  readonly location_id: string;
  readonly evse_uid: string;
  readonly connector_id?: string | undefined;
}

/** A driver's charges: each verb sees only what belongs to the driver's own tokens. */
export class Charges {
  constructor(private readonly parts: ChargesParts) {}

  /** Orders a charge; the same key again is the same charge. */
  async start(driver: Driver, wanted: Wanted, key?: string): Promise<string> {
    const { bus, db, clock } = this.parts;
    const token = appToken(driver);
    const party = busParty(wanted);
    const order = {
      chargeId: key ?? randomUUID(), email: driver.email, tokenUid: token.uid, tokenType: token.type, ...party,
      locationId: wanted.location_id, evseUid: wanted.evse_uid, connectorId: wanted.connector_id ?? null,
      orderedAt: clock.iso(),
    };
    const tokenJson = await this.issuedToken(token);
    await this.checkPlace(wanted);
    const row = await claimCharge(db, order);
    if (!sameOrder(row, order)) throw keyReused();
    const { chargeId } = row;
    if (whyNot(row, clock) !== null) await noteOrderedAgain(db, chargeId, order.orderedAt);
    await ordering({ command: 'START_SESSION', tokenUid: token.uid }, () => bus.ask(orderStart, {
      orderId: chargeId, tokenJson, party, locationId: wanted.location_id, evseUid: wanted.evse_uid,
      ...(wanted.connector_id === undefined ? {} : { connectorId: wanted.connector_id }),
    }, { commandId: chargeId }), (why) => noteRefusal(db, chargeId, why));
    return chargeId;
  }

  /** `chargeId`: of an order, or `<country>*<party>*<session_id>`. */
  async find(driver: Driver, chargeId: string): Promise<ChargeView> {
    return (await this.look(driver, chargeId)).view;
  }

  /** Newest first: those ordered here and those that a card began. */
  async list(driver: Driver, limit: number): Promise<ChargeView[]> {
    const { bus, db } = this.parts;
    const [rows, sessions] = await Promise.all([
      listCharges(db, driver.email, limit), this.sessionsOf(driver, limit),
    ]);
    const orders = await bus.askMany(getOrder, rows.map(({ chargeId }) => ({ orderId: chargeId })));
    const ordered = await Promise.all(rows.map(async (row, index) => {
      const order = orderOf(orders[index]!, row);
      // By the reference too: a session may be there a moment before its order knows it.
      const there = sessions.find((session) => ledTo(row, order, session));
      const session = there ?? await sessionOf(this.parts.bus, row, order?.sessionId);
      return { at: row.orderedAt, id: row.chargeId, known: this.known(row, order, session) };
    }));
    const led = new Set(ordered.map((charge) => charge.known.session));
    const tapped = sessions.filter((session) => !led.has(session)).map((session) => (
      { at: session.start_date_time, id: sessionReference(session), known: { session } }));
    const newest = [...ordered, ...tapped]
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, limit);
    return this.views(newest);
  }

  /** Orders the end of a charge; the charge itself shows when it is over. */
  async stop(driver: Driver, chargeId: string, key?: string): Promise<string> {
    const { view, session } = await this.look(driver, chargeId);
    const { state } = view;
    if (isFinal(state)) throw new Problem(409, 'charge-is-over', `the charge is ${state}; there is nothing to stop`);
    if (!session) throw new Problem(409, 'charge-has-not-begun', `the charge is ${state}; stop it once it is charging`);
    const stopId = key ?? randomUUID();
    const { uid: tokenUid } = session.cdr_token;
    await ordering({ command: 'STOP_SESSION', tokenUid }, () => this.parts.bus.ask(orderStop, {
      orderId: stopId, tokenUid, sessionId: session.id,
      party: busParty(session),
    }, { commandId: stopId }));
    return stopId;
  }

  /** The Session of a driver's charge, whether it runs or not. */
  async anySession(driver: Driver, chargeId: string): Promise<Session> {
    const { view, session } = await this.look(driver, chargeId);
    if (!session) throw new Problem(409, 'charge-has-not-begun', `the charge is ${view.state}; there is no session yet`);
    return session;
  }

  async runningSession(driver: Driver, chargeId: string): Promise<Session> {
    const { view: { state }, session } = await this.look(driver, chargeId);
    if (isFinal(state)) throw new Problem(409, 'charge-is-over', `the charge is ${state}`);
    if (!session) throw new Problem(409, 'charge-has-not-begun', `the charge is ${state}; there is no session yet`);
    return session;
  }

  private async look(driver: Driver, chargeId: string): Promise<{ view: ChargeView; session?: Session }> {
    const reference = /^([A-Za-z]{2})\*([A-Za-z0-9]{3})\*(.{1,36})$/.exec(chargeId);
    if (reference) {
      const [, countryCode = '', partyId = '', sessionId] = reference;
      const session = await sessionOf(this.parts.bus, { countryCode, partyId }, sessionId);
      if (!session || !owns(driver, session.cdr_token)) throw unknownCharge(chargeId);
      const [view] = await this.views([{ id: sessionReference(session), known: { session } }]);
      return { view: view!, session };
    }
    const row = await findCharge(this.parts.db, driver.email, chargeId);
    if (!row) throw unknownCharge(chargeId);
    const [answer] = await this.parts.bus.askMany(getOrder, [{ orderId: chargeId }]);
    const order = orderOf(answer!, row);
    const session = await sessionOf(this.parts.bus, row, order?.sessionId);
    const [view] = await this.views([{ id: chargeId, known: this.known(row, order, session) }]);
    return { view: view!, ...(session ? { session } : {}) };
  }

  /** With what the driver pays for each. */
  private async views(charges: readonly { id: string; known: Known }[]): Promise<ChargeView[]> {
    const sessions = charges.flatMap((charge) => charge.known.session ?? []);
    const prices = await this.parts.retail.ofSessions(sessions);
    const pricedOf = new Map(sessions.map((session, index) => [session, prices[index]!]));
    return charges.map(({ id, known: about }) => {
      const priced = about.session && pricedOf.get(about.session);
      return chargeOf(id, priced ? { ...about, priced } : about);
    });
  }

  private known(row: ChargeRow, order: ReturnType<typeof orderOf>, session: Session | undefined): Known {
    return { refusal: whyNot(row, this.parts.clock), ...(order ? { order } : {}), ...(session ? { session } : {}) };
  }

  private async sessionsOf(driver: Driver, limit: number): Promise<Session[]> {
    const lists = await Promise.all(driver.tokens.map((token) => (
      this.parts.bus.ask(listTokenSessions, { tokenParty: busParty(token), tokenUid: token.uid, limit }))));
    return lists.flatMap(({ sessionsJson }) => sessionsJson.map((bytes) => fromJsonBytes<Session>(bytes)));
  }

  /** As its owner has it; refused where that is blocked, or its account has no credit. */
  async issuedToken(token: TokenSettings): Promise<Uint8Array> {
    const { uid, type } = token;
    const { tokenJson, noCredit } = await this.parts.bus.ask(getToken, { party: busParty(token), uid, type });
    if (noCredit) throw new Problem(402, 'no-credit', 'the limit of your account is reached; pay something in and try again');
    if (tokenJson && fromJsonBytes<Partial<Token>>(tokenJson).valid === false) {
      throw new Problem(403, 'token-blocked', `the token ${uid} is blocked; ask who issued it`);
    }
    if (tokenJson) return tokenJson;
    throw new Problem(503, 'token-not-issued', `the token ${uid} is not issued yet; try again`, { 'retry-after': '2' });
  }

  private async checkPlace(wanted: Wanted): Promise<void> {
    const { connector_id: connectorId } = wanted;
    const evse = (await evseFor(this.parts.bus, wanted))!;
    if (connectorId === undefined) {
      if (!evse.capabilities?.includes('START_SESSION_CONNECTOR_REQUIRED')) return;
      const cables = evse.connectors.map(({ id }) => id).join(', ');
      throw new Problem(400, 'connector-required', `connector_id: say which cable of ${evse.uid}: ${cables}`);
    }
    if (evse.connectors.some(({ id }) => sameId(id, connectorId))) return;
    throw new Problem(404, 'unknown-connector', `connector_id: ${connectorId} is not at ${evse.uid}`);
  }
}

function orderOf(answer: OrderStands | AskFailure, { tokenUid }: ChargeRow): OrderView | undefined {
  const order = orderIn(answer);
  return order && isOurs(order, { command: 'START_SESSION', tokenUid }) ? order : undefined;
}

function ledTo(row: ChargeRow, order: OrderView | undefined, session: Session): boolean {
  return sameId(session.country_code, row.countryCode) && sameId(session.party_id, row.partyId)
    && (order?.sessionId ? sameId(session.id, order.sessionId) : sameId(session.authorization_reference ?? '', row.chargeId));
}

function unknownCharge(chargeId: string): Problem {
  return new Problem(404, 'unknown-charge', `charge_id: none of your charges is ${chargeId}`);
}

/** What lives in the app, else the first that the driver has. */
export function appToken(driver: Pick<Driver, 'tokens'>): TokenSettings {
  return driver.tokens.find(({ type }) => type === 'APP_USER') ?? driver.tokens[0]!;
}

/** Whether a session's or CDR's token is one of the driver's. */
export function owns(driver: Pick<Driver, 'tokens'>, token: Party & { readonly uid: string }): boolean {
  return driver.tokens.some((one) => sameParty(one, token) && sameId(one.uid, token.uid));
}
