import { randomUUID } from 'node:crypto';
import { type Fact, type Outbox, told } from '#bus';
import { partnerRegistered } from '#contracts/ocpi-gateway';
import { Rejected } from '#decider';
import { addDue, type DueWorker } from '#due';
import {
  allowedUrl, type Cdr, Credentials, type CredentialsRole, type Interface, type Outcome, partyText, read, sameParty, type TokenCandidate, tokenCandidates,
} from '#ocpi';
import { type Database, together, type Tx } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, rfc3339 } from '#time';
import type { Calls } from './calls.ts';
import { noteOwnLinks } from '../hub/client-info-rows.ts';
import { allNotCarried } from './dialect-rows.ts';
import type { Dialects } from './dialects.ts';
import { meet, type Met, outcomeText, refuse } from './handshake.ts';
import { endpointOf, hasParty, isPartyOf, ourInterfaces, type Partner, toBus } from './partner.ts';
import {
  addToken, dropTokens, findPartner, insertPartner, partnersWithWaiting, registeredPartners, removePartner,
  replaceToken, restoreToken, storePartner, type TokenHolder, tokenHolders, type TokenKind, type Waiting,
} from './partner-rows.ts';
import { pushAllOf } from '../pushes/push-all.ts';
import {
  claimCdrs, deadLetters, forgetAcknowledged, forgetOne, forgetPushed, lockLinks, type PushedKey, replayLetters, strandedCdrs,
} from '../pushes/pushed-rows.ts';
import { chosenAnew } from './partner-quirks.ts';
import { allSighted, storeChosen } from './quirk-rows.ts';
import { type Chosen, type QuirkName, suggested } from './quirks.ts';
import { type Push, pushOf, queueAll } from '../pushes/queue-rows.ts';
import type { OcpiRefusal } from '../refusals.ts';
import type { Secrets } from './secrets.ts';
import type { SpokenVersion } from '../versions.ts';

/** Who made a request: TRN-07. */
export interface Caller {
  readonly partner: Partner;
  readonly kind: TokenKind;
  /** As it was presented, raw. */
  readonly token: string;
  /** How it was written. */
  readonly written: Omit<TokenCandidate, 'token'>;
}

export interface PartnersParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly calls: Calls;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly parties: OwnParties;
  /** What we speak, the newest first. */
  readonly versions: readonly SpokenVersion[];
  readonly dialects: Dialects;
  readonly worker: () => DueWorker;
  /** A link was made or renewed, or has ended: of a hub, whose members hear of it. */
  readonly links?: { joined(tx: Tx, partner: Partner): Promise<void>; ended(tx: Tx, partner: Partner): Promise<void> };
  /** Of our versions endpoint, as partners reach it. */
  readonly versionsUrl: () => string;
}

/** The partners' aggregate: who they are, and how a link is made, renewed and ended. CRE. */
export class Partners {
  readonly interfaces: readonly Interface[];
  /** Requests that come at the same time are looked up together, and each by what stands when it has come: CRE-11. */
  private readonly holders: (hashes: readonly Buffer[]) => Promise<readonly TokenHolder[]>;

  get versions(): readonly SpokenVersion[] {
    return this.parts.versions;
  }

  constructor(private readonly parts: PartnersParts) {
    this.interfaces = ourInterfaces(parts.parties.all.flatMap(({ roles }) => roles));
    this.holders = together(async (asked) => {
      const distinct = new Map(asked.flat().map((hash) => [hash.toString('latin1'), hash]));
      const holders = await tokenHolders(parts.db, [...distinct.values()]);
      return asked.map(() => holders);
    });
  }

  /** A TOKEN_A for a partner who will register with us. */
  async invite(name: string): Promise<{ partner: Partner; tokenA: string }> {
    const { db, secrets } = this.parts;
    const tokenA = secrets.newToken();
    const partner = fresh(name, 'invited', '', {});
    await db.tx(async (tx) => {
      await insertPartner(tx, partner);
      await addToken(tx, partner.id, secrets.hash(tokenA), 'registration');
    });
    return { partner, tokenA };
  }

  async list(): Promise<{ partner: Partner; waiting: Waiting; notCarried: readonly string[]; suggestedQuirks: readonly QuirkName[] }[]> {
    const { db } = this.parts;
    const [partners, notCarried, sighted] = await Promise.all([partnersWithWaiting(db, this.parts.clock.now()), allNotCarried(db), allSighted(db)]);
    return partners.map((one) => ({
      ...one, notCarried: notCarried.get(one.partner.id) ?? [], suggestedQuirks: suggested(sighted.get(one.partner.id) ?? [], one.partner.quirks),
    }));
  }

  /** What the partner refused. Throws Rejected. */
  async letters(id: string, after: Omit<PushedKey, 'partnerId'> | undefined, limit: number) {
    await this.known(id);
    return deadLetters(this.parts.db, id, after, limit);
  }

  /** Throws Rejected. */
  async replay(id: string, which: { module?: string | undefined; objectKey?: string | undefined }): Promise<number> {
    await this.known(id);
    const queued = await this.parts.db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      return replayLetters(tx, id, which, this.parts.clock.now());
    });
    if (queued === 0 && which.objectKey !== undefined) {
      throw refuse('unknown-letter', `${which.module} ${which.objectKey} is not among the dead letters of this partner`);
    }
    this.wake();
    return queued;
  }

  /** Who presents this Authorization header; undefined is HTTP 401. */
  async caller(authorization: string | undefined): Promise<Caller | undefined> {
    const { db, secrets } = this.parts;
    const candidates = tokenCandidates(authorization).map(({ token, ...written }) => ({ token, written, hash: secrets.hash(token) }));
    if (candidates.length === 0) return undefined;
    const holders = await this.holders(candidates.map(({ hash }) => hash));
    for (const { token, written, hash } of candidates) {
      const holder = holders.find((one) => one.hash.equals(hash));
      if (!holder || holder.partner.state === 'unregistered') continue;
      // The partner has its new token: the one before it is of no more use. CRE-07.
      if (holder.kind === 'current' && holder.othersLinger) await dropTokens(db, holder.partner.id, ['old']);
      return { partner: holder.partner, kind: holder.kind, token, written };
    }
    return undefined;
  }

  /** Registers with a partner who gave us a TOKEN_A: we are the Sender. */
  async register({ name, versionsUrl, tokenA, quirks = [] }: { name: string; versionsUrl: string; tokenA: string; quirks?: readonly string[] }): Promise<Partner> {
    const { db, calls, secrets, clock } = this.parts;
    const partner = fresh(name, 'registering', versionsUrl, chosenAnew({}, { set: quirks, unset: [] }, rfc3339(clock.now())));
    const allowed = allowedUrl(versionsUrl, calls);
    if (!allowed.ok) {
      throw refuse('partner-unreachable', `versions_url ${allowed.message}: for tests and closed networks the setting ocpi.allow_private_urls allows it`);
    }
    const met = await this.meet(partner, tokenA, versionsUrl);
    const tokenB = secrets.newToken();
    // TOKEN_B has to open our versions before they answer.
    await db.tx(async (tx) => {
      await insertPartner(tx, partner);
      await addToken(tx, partner.id, secrets.hash(tokenB), 'current');
    });
    try {
      const client = calls.withToken(partner, tokenA, met.version);
      const theirs = answered('POST', await client.post(met.credentialsUrl, this.credentials(tokenB), { routing: false }));
      return await db.tx((tx) => this.join(tx, partner, met, theirs));
    } catch (error) {
      await removePartner(db, partner.id);
      throw error;
    } finally {
      this.parts.worker().wake();
    }
  }

  /** POST credentials: a partner whom we invited registers. The callback comes before the answer. */
  async accept(caller: Caller, theirs: Credentials, version: SpokenVersion): Promise<Credentials> {
    const { db, secrets } = this.parts;
    await this.checkTakeOver(caller, theirs);
    // Who starts over has the ways that it had.
    const earlier = (await registeredPartners(db)).find(({ versionsUrl }) => versionsUrl === theirs.url);
    const invitee = { ...caller.partner, quirks: { ...earlier?.quirks, ...caller.partner.quirks } };
    const met = await this.meet(invitee, theirs.token, theirs.url, version);
    const token = secrets.newToken();
    await db.tx(async (tx) => {
      // Before the row: who keeps pushes holds the links, and then wants the row.
      await lockLinks(tx, 'alone');
      const invited = await findPartner(tx, caller.partner.id, true);
      if (invited?.state !== 'invited') throw new Rejected<OcpiRefusal>('already-registered', 'this TOKEN_A was used meanwhile');
      await dropTokens(tx, invited.id, ['registration']);
      await addToken(tx, invited.id, secrets.hash(token), 'current');
      await this.join(tx, invited, met, theirs);
    });
    return this.credentials(token);
  }

  /** PUT credentials: new ones of a registered partner; it gets a new token, too. CRE-06, CRE-07. */
  async renew(caller: Caller, theirs: Credentials, version: SpokenVersion): Promise<Credentials> {
    const { db, secrets } = this.parts;
    await this.checkTakeOver(caller, theirs);
    const met = await this.meet(caller.partner, theirs.token, theirs.url, version);
    const token = secrets.newToken();
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      const known = await findPartner(tx, caller.partner.id, true);
      if (known?.state !== 'registered') throw new Rejected<OcpiRefusal>('not-registered', 'the link was ended meanwhile');
      await replaceToken(tx, known.id, secrets.hash(token));
      await this.join(tx, known, met, theirs);
    });
    return this.credentials(token);
  }

  /** DELETE credentials: all tokens of the link die, and nothing more is sent. CRE-08. */
  async end({ partner }: Caller): Promise<void> {
    await this.parts.db.tx((tx) => this.unregister(tx, partner));
  }

  /**
   * PUT of new credentials at the partner, in the newest version that both have now: each side has a new token then, and
   * the old ones die; what was said in another version is said again. CRE-06, CRE-11.
   */
  async rotate(id: string): Promise<{ partner: Partner; waiting: Waiting }> {
    const { db, calls, secrets } = this.parts;
    const known = await this.known(id);
    if (known.state !== 'registered' || !known.tokenOut) throw refuse('not-registered', `${known.name} is ${known.state}: there is no link to renew`);
    const tokenOut = secrets.open(known.tokenOut, id);
    const newest = await this.meet(known, tokenOut, known.versionsUrl);
    const token = secrets.newToken();
    // The new one has to open our versions before they answer; the old one does until the new is used. CRE-07.
    await db.tx((tx) => replaceToken(tx, id, secrets.hash(token)));
    const outcome = await calls.withToken(known, tokenOut, newest.version).put(newest.credentialsUrl, this.credentials(token), { routing: false });
    const theirs = outcome.kind === 'ok' ? read(Credentials, outcome.data) : undefined;
    if (!theirs?.ok) {
      // Whether they took it is not known where no answer came: both tokens stay good until one is used.
      if (outcome.kind === 'refused' || outcome.kind === 'unreachable') await db.tx((tx) => restoreToken(tx, id));
      const why = theirs ? theirs.message : outcomeText(outcome);
      throw refuse(outcome.kind === 'refused' || theirs ? 'registration-refused' : 'partner-unreachable', `PUT of credentials: ${why}`);
    }
    const met = await this.meet(known, theirs.value.token, theirs.value.url, newest.version);
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      await this.join(tx, (await findPartner(tx, id, true))!, met, theirs.value);
    });
    this.wake();
    return (await partnersWithWaiting(db, this.parts.clock.now(), id))[0]!;
  }

  /** An operator ends the link: at once here, then the partner is told. CRE-08, CRE-11. */
  async endByOperator(id: string): Promise<{ told: boolean; detail: string }> {
    const { db, calls } = this.parts;
    const known = await this.known(id);
    const url = known.endpoints.find(({ identifier }) => identifier === 'credentials')?.url;
    await db.tx((tx) => this.unregister(tx, known));
    if (known.state !== 'registered' || url === undefined) return { told: false, detail: `${known.name} was ${known.state}` };
    const outcome = await calls.to(known, {}).delete(url, { routing: false });
    return { told: outcome.kind === 'ok', detail: outcomeText(outcome) };
  }

  /** Throws Rejected. */
  async known(id: string): Promise<Partner> {
    const partner = await findPartner(this.parts.db, id);
    if (!partner) throw refuse('unknown-partner', `there is no partner ${id}: the list has their ids`);
    return partner;
  }

  versionsUrl(): string {
    return this.parts.versionsUrl();
  }

  /** What a partner needs to reach us: every party of ours with its roles. CRE-10. */
  credentials(token: string): Credentials {
    const roles = this.parts.parties.all.flatMap(({ country_code, party_id, name, website, roles: its }) => {
      const business_details = { name, ...(website ? { website } : {}) };
      return its.map((role) => ({ role, business_details, party_id, country_code }));
    });
    return { token, url: this.parts.versionsUrl(), roles };
  }

  /** After it, what is ours goes to the partner: all of it at first. */
  wake(): void {
    this.parts.worker().wake();
  }

  /** A PUT or POST of credentials is for the version whose endpoint it went to; else the newest that both have is taken. */
  private meet(partner: Partner, token: string, versionsUrl: string, version?: SpokenVersion): Promise<Met> {
    const { calls, dialects, versions } = this.parts;
    return meet({ calls, partner, token, versionsUrl, versions: version ? [version] : versions, interfaces: this.interfaces, roles: dialects.party.roles });
  }

  private async join(tx: Tx, partner: Partner, met: Met, { token, url, roles }: Credentials): Promise<Partner> {
    const { outbox, secrets, clock } = this.parts;
    const joined: Partner = {
      ...partner, state: 'registered', version: met.version, versionsUrl: url, roles, endpoints: met.endpoints,
      tokenOut: secrets.seal(token, partner.id),
    };
    await lockLinks(tx, 'alone');
    await this.checkParties(tx, joined);
    await this.replaceOlder(tx, joined);
    await storePartner(tx, joined);
    if (partner.version !== '' && partner.version !== met.version) await this.sayAgain(tx, joined);
    await this.adoptCdrs(tx, joined);
    await noteOwnLinks(tx);
    await this.parts.links?.joined(tx, joined);
    if (endpointOf(joined, 'hubclientinfo', 'SENDER') !== undefined) {
      await addDue(tx, { id: `pull clients ${partner.id} ${randomUUID()}`, key: `clients ${partner.id}`, kind: 'pull-clients', at: clock.now(), body: { partnerId: partner.id } });
    }
    await addDue(tx, pushAllOf(partner.id, clock.now()));
    await outbox.tell(tx, [registeredFact(joined, rfc3339(clock.now()))]);
    return joined;
  }

  /** What was said in another version may have lost something on the way, and CDRs that it could not say go now. */
  private async sayAgain(tx: Tx, { id }: Partner): Promise<void> {
    await this.parts.dialects.notCarried.forget(tx, id);
    await forgetAcknowledged(tx, id, this.parts.clock.now());
  }

  /**
   * Nobody becomes somebody else by naming their party: not us, and not a partner whose link stands. Who
   * answers at that link's own versions URL is that partner, and may start over.
   */
  private async checkParties(tx: Tx, { id, roles, versionsUrl }: Partner): Promise<void> {
    const ours = roles.find((role) => this.parts.parties.has(role));
    if (ours) throw refuse('registration-refused', `roles: ${partyText(ours)} is this platform`);
    for (const other of await registeredPartners(tx)) {
      const theirs = roles.find((role) => isPartyOf(other, role));
      if (theirs && other.id !== id && other.versionsUrl !== versionsUrl) {
        throw refuse('registration-refused', `roles: ${partyText(theirs)} is on another platform, whose link has to end first`);
      }
    }
  }

  /**
   * Who answers at a link's versions URL with a token of its own takes the link's place: that proves nothing
   * where any token is answered.
   */
  private async checkTakeOver({ partner: { id } }: Caller, { url, roles }: Credentials): Promise<void> {
    const { db, calls, secrets } = this.parts;
    const other = (await registeredPartners(db)).find((one) => one.id !== id && one.versionsUrl === url && roles.some((role) => isPartyOf(one, role)));
    if (!other) return;
    const outcome = await calls.withToken(other, secrets.newToken()).get(url, { routing: false });
    if (outcome.kind === 'ok') {
      throw refuse('registration-refused', `url: ${url} answers to any token, so that nobody proves by it to be ${other.name}: that link has to end first`);
    }
  }

  /** A party is on one platform: the newer link takes the place of the older. */
  private async replaceOlder(tx: Tx, joined: Partner): Promise<void> {
    for (const other of await registeredPartners(tx)) {
      if (other.id !== joined.id && other.roles.some((role) => joined.roles.some((one) => sameRole(role, one)))) {
        await this.unregister(tx, other);
        // The platform is the same, and so are its ways.
        await storeChosen(tx, joined.id, { ...other.quirks, ...joined.quirks });
      }
    }
  }

  /** What this party never got of CDRs, by an earlier link or for want of one, it gets now. */
  async adoptCdrs(tx: Tx, joined: Partner): Promise<void> {
    const own: Push[] = [];
    for (const { key, current } of await strandedCdrs(tx)) {
      if (!hasParty(joined, (JSON.parse(current) as Cdr).cdr_token)) continue;
      await forgetOne(tx, key);
      own.push(pushOf({ ...key, partnerId: joined.id }, current));
    }
    for (const { cdrId, current } of await claimCdrs(tx, ({ cdr_token }) => hasParty(joined, cdr_token))) {
      own.push(pushOf({ partnerId: joined.id, module: 'cdrs', objectKey: cdrId }, current));
    }
    await queueAll(tx, { own }, this.parts.clock.now());
  }

  private async unregister(tx: Tx, partner: Partner): Promise<void> {
    await dropTokens(tx, partner.id, ['registration', 'current', 'old']);
    await forgetPushed(tx, partner.id);
    await storePartner(tx, { ...partner, state: 'unregistered', endpoints: [], tokenOut: undefined });
    await this.parts.links?.ended(tx, partner);
    await noteOwnLinks(tx);
  }
}

function fresh(name: string, state: Partner['state'], versionsUrl: string, quirks: Chosen): Partner {
  return { id: randomUUID(), name, state, version: '', versionsUrl, roles: [], behind: [], endpoints: [], tokenOut: undefined, lastError: '', quirks };
}

/** The credentials that a peer answers with. */
function answered(method: 'POST' | 'PUT', outcome: Outcome): Credentials {
  if (outcome.kind === 'unclear' || outcome.kind === 'unreachable') {
    throw refuse('partner-unreachable', `${method} of credentials: ${outcomeText(outcome)}`);
  }
  if (outcome.kind !== 'ok') throw refuse('registration-refused', `${method} of credentials: ${outcomeText(outcome)}`);
  const theirs = read(Credentials, outcome.data);
  if (!theirs.ok) throw refuse('registration-refused', `the credentials in the answer: ${theirs.message}`);
  return theirs.value;
}

function sameRole(a: CredentialsRole, b: CredentialsRole): boolean {
  return a.role === b.role && sameParty(a, b);
}

function registeredFact(partner: Partner, at: string): Fact {
  return told(partnerRegistered, {
    partnerId: partner.id,
    name: partner.name,
    version: partner.version,
    at,
    roles: partner.roles.map((role) => ({ role: role.role, party: toBus(role), name: role.business_details.name })),
  });
}
