import { randomUUID } from 'node:crypto';
import { type Fact, type MirroredFact, type Outbox, told } from '#bus';
import { partnerRegistered, partyLinkChanged } from '#contracts/ocpi-gateway';
import { addDue } from '#due';
import { type Cdr, type CredentialsRole, type ModuleId, type Party, partyText, sameParty } from '#ocpi';
import type { Tx } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, rfc3339 } from '#time';
import { keepListed, noteOwnLinks } from '../hub/client-info-rows.ts';
import type { Dialects } from './dialects.ts';
import { type Met, refuse } from './handshake.ts';
import type { HeardCredentials } from './listed.ts';
import { endpointOf, isPartyOf, type Partner, partiesOf, toBus } from './partner.ts';
import { dropTokens, findPartner, partiesWithoutLink, registeredPartners, storePartner } from './partner-rows.ts';
import { pushAllOf } from '../pushes/push-all.ts';
import {
  claimCdrs, forgetAcknowledged, forgetOne, forgetPushed, letGo, lockLinks, noteDoubt, type PushedKey, stranded,
} from '../pushes/pushed-rows.ts';
import { storeChosen } from './quirk-rows.ts';
import { endPauses, type Push, pushOf, queueAll } from '../pushes/queue-rows.ts';
import type { Secrets } from './secrets.ts';

export interface LinkParts {
  readonly outbox: Outbox;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly dialects: Dialects;
  /** A link was made or renewed, or has ended: of a hub, whose members hear of it. */
  readonly links?: { joined(tx: Tx, partner: Partner): Promise<void>; ended(tx: Tx, partner: Partner): Promise<void> };
}

/** What a link that begins or ends changes here, each in the transaction of whoever does it. */
export class Links {
  constructor(private readonly parts: LinkParts) {}

  /** A handshake has succeeded: the link begins, or waits for an operator's approval. */
  async join(tx: Tx, partner: Partner, met: Met, { token, url, roles, behind }: HeardCredentials): Promise<Partner> {
    const joined: Partner = {
      ...partner, state: partner.invited.length > 0 ? 'registered' : 'unapproved', version: met.version, versionsUrl: url, roles,
      endpoints: met.endpoints, tokenOut: this.parts.secrets.seal(token, partner.id),
    };
    await lockLinks(tx, 'alone');
    if (joined.state === 'unapproved') {
      await this.checkParties(tx, joined);
      await storePartner(tx, joined);
      await this.keepBehind(tx, joined, behind);
      return joined;
    }
    return this.bringIn(tx, joined, { saysAgain: partner.version !== '' && partner.version !== met.version, behind });
  }

  /**
   * Who a hub's credentials say is behind it, also before it is approved: it says so once, and until then nothing goes by it.
   * Where it says by ClientInfo who goes, that is not all that it says.
   */
  private async keepBehind(tx: Tx, hub: Partner, behind: HeardCredentials['behind']): Promise<void> {
    if (!behind) return;
    const { parties, clock } = this.parts;
    const all = endpointOf(hub, 'hubclientinfo', 'SENDER') === undefined;
    await keepListed(tx, hub.id, behind.filter((one) => !parties.has(one)), { all, now: clock.now() });
  }

  /** From here on a link is good for everything: the first time, and whenever it was renewed. */
  async bringIn(tx: Tx, joined: Partner, { saysAgain = false, behind }: { saysAgain?: boolean; behind?: HeardCredentials['behind'] } = {}): Promise<Partner> {
    const { outbox, clock } = this.parts;
    await this.checkParties(tx, joined);
    // It may name other parties than before.
    const before = await findPartner(tx, joined.id);
    const replaced = await this.replaceOlder(tx, joined);
    await storePartner(tx, joined);
    await this.keepBehind(tx, joined, behind);
    if (saysAgain) await this.sayAgain(tx, joined);
    await noteOwnLinks(tx);
    const linked = (await findPartner(tx, joined.id))!;
    await this.bringHome(tx);
    await this.parts.links?.joined(tx, joined);
    if (endpointOf(joined, 'hubclientinfo', 'SENDER') !== undefined) {
      await addDue(tx, {
        id: `pull clients ${joined.id} ${randomUUID()}`,
        key: `clients ${joined.id}`,
        kind: 'pull-clients',
        at: clock.now(),
        body: { partnerId: joined.id },
      });
    }
    await addDue(tx, pushAllOf(joined.id, clock.now()));
    endPauses(tx, joined.id, clock.now());
    const heardHere = new Set(linked.behind.map(partyText));
    const named = behind?.filter((one) => heardHere.has(partyText(one))) ?? [];
    await outbox.tell(tx, [
      registeredFact({ ...joined, roles: [...joined.roles, ...named] }, rfc3339(clock.now())),
      ...(await this.linkFacts(tx, [linked, ...(before ? [before] : []), ...replaced].flatMap(partiesOf))),
    ]);
    return linked;
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

  /** A party is on one platform: the newer link takes the place of the older. */
  private async replaceOlder(tx: Tx, joined: Partner): Promise<Partner[]> {
    const replaced: Partner[] = [];
    for (const other of await registeredPartners(tx)) {
      if (other.id !== joined.id && other.roles.some((role) => joined.roles.some((one) => sameRole(role, one)))) {
        await this.unregister(tx, other);
        // The platform is the same, and so are its ways.
        await storeChosen(tx, joined.id, { ...other.quirks, ...joined.quirks });
        replaced.push(other);
      }
    }
    return replaced;
  }

  /**
   * CDRs that never came over, and what became of Sessions that somebody was told of, go the way by which their tokens' owners
   * are reached now: by another link than before, by a hub, or at last by one at all. What nobody takes waits for who does.
   */
  async bringHome(tx: Tx): Promise<void> {
    const reached = Map.groupBy(
      (await registeredPartners(tx)).flatMap((partner) => partiesOf(partner).map((party) => ({ partner, party }))),
      ({ party }) => partyText(party),
    );
    const owners = [...reached.keys()];
    const reach = (owner: string) => (reached.get(owner.toUpperCase()) ?? []).map(({ partner }) => partner);
    const takerOf = (module: ModuleId, owner: Party) =>
      reach(partyText(owner)).find((partner) => endpointOf(partner, module, 'RECEIVER') !== undefined);
    await letGo(tx, (partnerId, owner) => !reach(owner).some(({ id }) => id === partnerId));
    const own: Push[] = [];
    const doubtful: PushedKey[] = [];
    for (const { key, current, isDoubtful } of await stranded(tx, owners)) {
      const taker = takerOf(key.module, (JSON.parse(current) as Cdr).cdr_token);
      if (!taker) continue;
      // What a partner was told of a Session stands in its row.
      if (key.module === 'cdrs' || key.partnerId !== taker.id) await forgetOne(tx, key);
      own.push(pushOf({ ...key, partnerId: taker.id }, current));
      if (isDoubtful) doubtful.push({ ...key, partnerId: taker.id });
    }
    for (const { cdrId: objectKey, current, partnerId } of await claimCdrs(tx, owners, (owner) => takerOf('cdrs', owner)?.id))
      own.push(pushOf({ partnerId, module: 'cdrs', objectKey }, current));
    await queueAll(tx, { own }, this.parts.clock.now());
    // One that may have been taken is looked for first, whoever sends it.
    for (const key of doubtful) await noteDoubt(tx, key);
  }

  /** The link is over, and this transaction with it. */
  async end(tx: Tx, partner: Partner): Promise<void> {
    // Another link of its parties may begin just now.
    await lockLinks(tx, 'alone');
    await this.unregister(tx, partner);
    await this.bringHome(tx);
    await this.tellLinked(tx, partiesOf(partner));
  }

  /** Whether these can be reached from now on, their own way or a hub's: the last statement of its transaction. */
  async tellLinked(tx: Tx, parties: readonly Party[]): Promise<void> {
    await this.parts.outbox.tell(tx, await this.linkFacts(tx, parties));
  }

  /** Of those whose links ended before that was told. */
  async tellEnded(tx: Tx): Promise<void> {
    await lockLinks(tx, 'alone');
    await this.tellLinked(tx, await partiesWithoutLink(tx));
  }

  private async linkFacts(tx: Tx, parties: readonly Party[]): Promise<MirroredFact[]> {
    const reached = new Set((await registeredPartners(tx)).flatMap(partiesOf).map(partyText));
    const at = rfc3339(this.parts.clock.now());
    return [...new Map(parties.map((party) => [partyText(party), party]))].map(([text, party]) => ({
      ...told(partyLinkChanged, { party: toBus(party), linked: reached.has(text), at }),
      about: `link ${text}`,
    }));
  }

  private async unregister(tx: Tx, partner: Partner): Promise<void> {
    await dropTokens(tx, partner.id, ['registration', 'current', 'old']);
    await forgetPushed(tx, partner.id);
    await storePartner(tx, { ...partner, state: 'unregistered', endpoints: [], tokenOut: undefined });
    await this.parts.links?.ended(tx, partner);
    await noteOwnLinks(tx);
  }
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
