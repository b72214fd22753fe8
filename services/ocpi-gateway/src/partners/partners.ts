import { randomUUID } from 'node:crypto';
import { Rejected } from '#decider';
import type { DueWorker } from '#due';
import { allowedUrl, Credentials, type Interface, type Outcome, read, type TokenCandidate, tokenCandidates } from '#ocpi';
import { type Database, together, type Tx } from '#postgres';
import { rfc3339 } from '#time';
import type { Calls } from './calls.ts';
import { meet, type Met, outcomeText, refuse } from './handshake.ts';
import { invitedAs, type InvitedParty, isInvited, uninvitedText } from './invited.ts';
import { type LinkParts, Links } from './links.ts';
import { type HeardCredentials, withoutBehind } from './listed.ts';
import { isPartyOf, listedTo, ourInterfaces, type Partner, sameToken } from './partner.ts';
import {
  addToken, dropTokens, dropTokensBefore, findPartner, insertPartner, noteError, partnersWithWaiting, registeredPartners, removePartner,
  replaceToken, restoreToken, storePartner, type TokenHolder, tokenHolders, type TokenKind, type Waiting,
} from './partner-rows.ts';
import { lockLinks } from '../pushes/pushed-rows.ts';
import { chosenAnew } from './partner-quirks.ts';
import type { OcpiRefusal } from '../refusals.ts';
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

export interface PartnersParts extends LinkParts {
  readonly db: Database;
  readonly calls: Calls;
  /** What we speak, the newest first. */
  readonly versions: readonly SpokenVersion[];
  readonly worker: () => DueWorker;
  /** Of our versions endpoint, as partners reach it. */
  readonly versionsUrl: () => string;
}

/** With a partner who gave us a TOKEN_A. */
export interface Registration {
  readonly name: string;
  readonly versionsUrl: string;
  readonly tokenA: string;
  readonly quirks: readonly string[];
  readonly invited: readonly InvitedParty[];
}

const REFUSED = 'credentials were refused';

/** The partners' aggregate: who they are, and how a link is made, renewed and ended. CRE. */
export class Partners {
  readonly interfaces: readonly Interface[];
  readonly links: Links;
  /** Requests that come at the same time are looked up together, and each by what stands when it has come: CRE-11. */
  private readonly holders: (hashes: readonly Buffer[]) => Promise<readonly TokenHolder[]>;

  get versions(): readonly SpokenVersion[] {
    return this.parts.versions;
  }

  constructor(private readonly parts: PartnersParts) {
    this.links = new Links(parts);
    this.interfaces = ourInterfaces(parts.parties.all.flatMap(({ roles }) => roles));
    this.holders = together(async (asked) => {
      const distinct = new Map(asked.flat().map((hash) => [hash.toString('latin1'), hash]));
      const holders = await tokenHolders(parts.db, [...distinct.values()]);
      return asked.map(() => holders);
    });
  }

  interfacesFor(partner: Partner): readonly Interface[] {
    return listedTo(partner, this.interfaces, this.parts.parties.all.flatMap(({ roles }) => roles));
  }

  /** A TOKEN_A for a partner who will register with us: as these parties, or after an operator's approval. */
  async invite(name: string, invited: readonly InvitedParty[]): Promise<{ partner: Partner; tokenA: string }> {
    const { db, secrets } = this.parts;
    const tokenA = secrets.newToken();
    const partner = fresh({ name, state: 'invited', versionsUrl: '', quirks: {}, invited });
    await db.tx(async (tx) => {
      await insertPartner(tx, partner);
      await addToken(tx, partner.id, secrets.hash(tokenA), 'registration');
    });
    return { partner, tokenA };
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
      if (holder.kind !== 'registration' && holder.othersLinger) await dropTokensBefore(db, holder.partner.id, hash);
      return { partner: holder.partner, kind: holder.kind, token, written };
    }
    return undefined;
  }

  /**
   * Registers with a partner who gave us a TOKEN_A: we are the Sender. An operator has chosen the URL: who answers there is
   * whom it is meant for, unless parties are named.
   */
  async register({ name, versionsUrl, tokenA, quirks, invited }: Registration): Promise<Partner> {
    const { db, calls, secrets, clock } = this.parts;
    const chosen = chosenAnew({}, { set: quirks, unset: [] }, rfc3339(clock.now()));
    const partner = fresh({ name, state: 'registering', versionsUrl, quirks: chosen, invited });
    const allowed = allowedUrl(versionsUrl, calls);
    if (!allowed.ok) {
      throw refuse(
        'partner-unreachable',
        `versions_url ${allowed.message}: for tests and closed networks the setting ocpi.allow_private_urls allows it`,
      );
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
      const theirs = withoutBehind(answered(await client.post(met.credentialsUrl, this.credentials(tokenB), { routing: false })), met.version);
      const meant = { ...partner, invited: invited.length > 0 ? invited : invitedAs(theirs.roles) };
      const problem = uninvitedText(theirs.roles, meant.invited);
      if (problem !== undefined) throw refuse('party-not-invited', `the credentials in the answer: ${problem}`);
      return await db.tx((tx) => this.links.join(tx, meant, met, theirs));
    } catch (error) {
      await removePartner(db, partner.id);
      throw error;
    } finally {
      this.parts.worker().wake();
    }
  }

  /** POST credentials: a partner whom we invited registers. The callback comes before the answer. */
  async accept(caller: Caller, said: Credentials, version: SpokenVersion): Promise<Credentials> {
    const { db, secrets } = this.parts;
    const theirs = await this.asInvited(caller.partner, said, version);
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
      await this.links.join(tx, invited, met, theirs);
    });
    return this.credentials(token);
  }

  /** PUT credentials: new ones of a registered partner; it gets a new token, too. CRE-06, CRE-07. */
  async renew(caller: Caller, said: Credentials, version: SpokenVersion): Promise<Credentials> {
    const { secrets } = this.parts;
    const theirs = await this.asInvited(caller.partner, said, version);
    await this.checkTakeOver(caller, theirs);
    const token = secrets.newToken();
    await this.proven(caller.partner, theirs, version, async (tx, known, met) => {
      await replaceToken(tx, known.id, secrets.hash(token));
      await this.links.join(tx, known, met, theirs);
    });
    return this.credentials(token);
  }

  /** DELETE credentials: all tokens of the link die, and nothing more is sent. CRE-08. */
  async end({ partner }: Caller): Promise<void> {
    await this.parts.db.tx((tx) => this.links.end(tx, partner));
  }

  /**
   * PUT of new credentials at the partner, in the newest version that both have now: each side has a new token then, and
   * the old ones die; what was said in another version is said again. CRE-06, CRE-11.
   */
  async rotate(id: string): Promise<{ partner: Partner; waiting: Waiting }> {
    const { db, calls, secrets } = this.parts;
    const known = await this.known(id);
    if (known.state !== 'registered' || !known.tokenOut)
      throw refuse('not-registered', `${known.name} is ${known.state}: there is no link to renew`);
    const tokenOut = secrets.open(known.tokenOut, id);
    const newest = await this.meet(known, tokenOut, known.versionsUrl);
    const token = secrets.newToken();
    // The new one has to open our versions before they answer; the old one does until the new is used. CRE-07.
    await db.tx((tx) => replaceToken(tx, id, secrets.hash(token)));
    const outcome = await calls
      .withToken(known, tokenOut, newest.version)
      .put(newest.credentialsUrl, this.credentials(token), { routing: false });
    const theirs = outcome.kind === 'ok' ? read(Credentials, outcome.data) : undefined;
    if (!theirs?.ok) {
      // Whether they took it is not known where no answer came: both tokens stay good until one is used.
      if (outcome.kind === 'refused' || outcome.kind === 'unreachable') await db.tx((tx) => restoreToken(tx, id, secrets.hash(token)));
      const why = theirs ? theirs.message : outcomeText(outcome);
      throw refuse(outcome.kind === 'refused' || theirs ? 'registration-refused' : 'partner-unreachable', `PUT of credentials: ${why}`);
    }
    const said = withoutBehind(theirs.value, newest.version);
    await this.proven(known, said, newest.version, async (tx, partner, met) => {
      // They have our new token: the link goes on, for those whom it is for.
      const roles = said.roles.filter((one) => isInvited(partner.invited, one));
      await this.links.join(tx, partner, met, { ...said, roles: roles.length > 0 ? roles : [...partner.roles] });
    });
    this.wake();
    return (await partnersWithWaiting(db, this.parts.clock.now(), id))[0]!;
  }

  /**
   * An operator says for whom a link is meant: for the parties that came, or for these. What waited for them goes then.
   * Throws Rejected.
   */
  async approve(id: string, invited: readonly InvitedParty[]): Promise<Partner> {
    await this.known(id);
    const approved = await this.parts.db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      const partner = (await findPartner(tx, id, true))!;
      if (partner.state === 'unregistered') throw refuse('not-registered', `${partner.name} has no link any more: invite it anew`);
      const meant = { ...partner, invited: invited.length > 0 ? invited : invitedAs(partner.roles) };
      if (meant.invited.length === 0)
        throw refuse('not-registered', `${partner.name} has not registered yet: name the parties for which it may`);
      const problem = uninvitedText(partner.roles, meant.invited);
      if (problem !== undefined) throw refuse('party-not-invited', `${problem}; end the link, or name all of them`);
      await noteError(tx, id, '');
      if (partner.state === 'unapproved') return this.links.bringIn(tx, { ...meant, state: 'registered' });
      await storePartner(tx, meant);
      return meant;
    });
    this.wake();
    return { ...approved, lastError: '' };
  }

  /** An operator ends the link: at once here, then the partner is told. CRE-08, CRE-11. */
  async endByOperator(id: string): Promise<{ told: boolean; detail: string }> {
    const { db, calls } = this.parts;
    const known = await this.known(id);
    const url = known.endpoints.find(({ identifier }) => identifier === 'credentials')?.url;
    await db.tx((tx) => this.links.end(tx, known));
    if (!isLinked(known) || url === undefined) return { told: false, detail: `${known.name} was ${known.state}` };
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

  /**
   * What a partner gave is taken once its token opened its versions. Of two that it gives at once, by its own PUT and in the answer to
   * ours, or by a PUT and its repeat, each may end the other: one that was overtaken is tried again. CRE-07.
   */
  private async proven(
    partner: Partner, theirs: Credentials, version: SpokenVersion, take: (tx: Tx, known: Partner, met: Met) => Promise<void>,
  ): Promise<void> {
    for (let before = partner; ;) {
      const met = await this.meet(before, theirs.token, theirs.url, version);
      const overtaken = await this.parts.db.tx(async (tx) => {
        await lockLinks(tx, 'alone');
        const known = await findPartner(tx, partner.id, true);
        if (!known || !isLinked(known)) throw new Rejected<OcpiRefusal>('not-registered', 'the link was ended meanwhile');
        if (!sameToken(known, before)) return known;
        await take(tx, known, met);
        return undefined;
      });
      if (!overtaken) return;
      before = overtaken;
    }
  }

  /** A PUT or POST of credentials is for the version whose endpoint it went to; else the newest that both have is taken. */
  private meet(partner: Partner, token: string, versionsUrl: string, version?: SpokenVersion): Promise<Met> {
    const { calls, dialects, versions } = this.parts;
    return meet({
      calls,
      partner,
      token,
      versionsUrl,
      versions: version ? [version] : versions,
      interfaces: this.interfaces,
      roles: dialects.party.roles,
    });
  }

  /** CRE-10: the credentials of a party that the link is for; of others they are refused, and the operator sees it. Throws Rejected. */
  private async asInvited({ id, invited, lastError }: Partner, all: Credentials, version: SpokenVersion): Promise<HeardCredentials> {
    const said = withoutBehind(all, version);
    // 2.1.1 does not say its roles: they are what the operator has said, where it has.
    const meant = version === '2.1.1' ? said.roles.filter((one) => isInvited(invited, one)) : [];
    const theirs = meant.length > 0 ? { ...said, roles: meant } : said;
    const problem = invited.length === 0 ? undefined : uninvitedText(theirs.roles, invited);
    if (problem === undefined) {
      if (lastError.includes(REFUSED)) await noteError(this.parts.db, id, '');
      return theirs;
    }
    await noteError(this.parts.db, id, `${rfc3339(this.parts.clock.now())} ${REFUSED}: ${problem}`);
    throw refuse('party-not-invited', problem);
  }

  /**
   * Who answers at a link's versions URL with a token of its own takes the link's place: that proves nothing
   * where any token is answered.
   */
  private async checkTakeOver({ partner: { id } }: Caller, { url, roles }: Credentials): Promise<void> {
    const { db, calls, secrets } = this.parts;
    const other = (await registeredPartners(db)).find(
      (one) => one.id !== id && one.versionsUrl === url && roles.some((role) => isPartyOf(one, role)),
    );
    if (!other) return;
    const outcome = await calls.withToken(other, secrets.newToken()).get(url, { routing: false });
    if (outcome.kind === 'ok') {
      throw refuse(
        'registration-refused',
        `url: ${url} answers to any token, so that nobody proves by it to be ${other.name}: that link has to end first`,
      );
    }
  }
}

type Fresh = Pick<Partner, 'name' | 'state' | 'versionsUrl' | 'quirks' | 'invited'>;

function fresh(one: Fresh): Partner {
  return { ...one, id: randomUUID(), version: '', roles: [], behind: [], aside: [], endpoints: [], tokenOut: undefined, lastError: '' };
}

/** Whether it has credentials of ours, and we of it. */
function isLinked({ state }: Partner): boolean {
  return state === 'registered' || state === 'unapproved';
}

/** The credentials with which a peer answers a POST of ours. */
function answered(outcome: Outcome): Credentials {
  if (outcome.kind === 'unclear' || outcome.kind === 'unreachable') {
    throw refuse('partner-unreachable', `POST of credentials: ${outcomeText(outcome)}`);
  }
  if (outcome.kind !== 'ok') throw refuse('registration-refused', `POST of credentials: ${outcomeText(outcome)}`);
  const theirs = read(Credentials, outcome.data);
  if (!theirs.ok) throw refuse('registration-refused', `the credentials in the answer: ${theirs.message}`);
  return theirs.value;
}
