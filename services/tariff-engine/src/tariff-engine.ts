import type { Bus } from '#bus';
import { listTariffUses } from '#contracts/locations';
import type { EventStore } from '#event-store';
import type { AgreementChanged } from '#contracts/agreements';
import { type GrantRows, isOffered, type Offer } from '#grants';
import { type Party, partyText, sameParty, type Tariff } from '#ocpi';
import type { Database, ObjectPage, PageRequest, Tx } from '#postgres';
import { type Finding, inForce, isValidAt, lint, type LintFacts } from '#pricing';
import type { OwnParties } from '#settings';
import { currentTraceparent } from '#telemetry';
import { instant, isTimeZone, rfc3339 } from '#time';
import { candidatesFrom, type HeldCandidate } from './candidates.ts';
import { choose, type Choice } from './choice.ts';
import type { EvsesOf } from './metered-evses.ts';
import { listOffered } from './offered.ts';
import { type Change, type PublishedBy, type Publishing, put, refuse, type Taken } from './publishing.ts';
import { type Ahead, quoted } from './quote.ts';
import { streamOf, type TariffKey } from './tariff-key.ts';
import { type TariffCommand, type TariffEvent, type TariffPublished, type TariffSource, type TariffTurn, versionAt, versionsUpTo } from './tariff.ts';

export interface TariffEngineParts extends Publishing {
  readonly db: Database;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly parties: OwnParties;
  readonly grants: GrantRows;
  readonly evsesOf: EvsesOf;
}

export interface SelectRequest {
  readonly party: TariffKey['party'];
  readonly tariffIds: readonly string[];
  readonly tokenType: string;
  readonly profileType?: string | undefined;
  readonly tokenParty?: Party | undefined;
  readonly at: string;
}

export interface Selected {
  readonly tariff: Tariff;
  readonly version: number;
  /** The version's JSON as it was published. */
  readonly text: string;
  readonly why: string;
  readonly others: Choice['others'];
}

export interface QuoteWish extends SelectRequest {
  readonly timeZone: string;
  readonly energyKwh: string;
  readonly durationS: number;
  readonly powerKw?: string | undefined;
  readonly ahead: Ahead;
}

/** What we took, and how long it was in force with us. */
export interface HeldVersion {
  readonly published: TariffPublished;
  readonly until: string | undefined;
}

/** Somebody else may publish the same tariff at the same time. */
const ATTEMPTS = 5;

/** The service's verbs. */
export class TariffEngine {
  constructor(private readonly parts: TariffEngineParts) {}

  /**
   * One of our own: last_updated is filled in, and whose of our parties it is where it does not say. The
   * same content again publishes nothing.
   */
  async publish(
    given: Partial<Tariff>,
    by: PublishedBy,
  ): Promise<Taken> {
    const party = await this.offererOf(given);
    const { country_code, party_id } = party;
    const key = keyOfParty(party, given.id ?? '');
    const { clock, tariffs } = this.parts;
    for (let attempt = 1; ; attempt += 1) {
      const { state } = await tariffs.load(streamOf(key));
      // Newer than the version that stands, also where another replica's clock is ahead of ours.
      const lastUpdated = rfc3339(Math.max(clock.now(), state.lastUpdatedMs + 1));
      const body = { ...given, country_code, party_id, last_updated: lastUpdated };
      const { taken, isOvertaken } = await put(this.parts, body, by);
      if (isOvertaken && attempt < ATTEMPTS) continue;
      if (taken.change !== 'unchanged') return taken;
      return { ...taken, text: (await this.find(key))?.text ?? taken.text };
    }
  }

  async putPartner(body: unknown, replaces?: string): Promise<Taken> {
    return (await put(this.parts, body, { source: 'partner', replaces })).taken;
  }

  /** `foundAt`: when it was found to be gone; what was published since stays. */
  withdrawPartner(key: TariffKey, foundAt?: string): Promise<Change> {
    return this.withdraw(key, 'partner', { foundAt });
  }

  /** One of our own that no Connector names any more. Throws Rejected. */
  async withdrawOwn(tariffId: string, commandId?: string): Promise<Change> {
    const key = await this.ownKey(tariffId);
    if (!key) throw refuse('unknown-tariff', `${tariffId} was never published`);
    const { state } = await this.parts.tariffs.load(streamOf(key));
    if (commandId !== undefined && Object.hasOwn(state.done, commandId)) return 'unchanged';
    const { uses, total } = await this.parts.bus.ask(listTariffUses, { tariffId });
    if (total > 0) {
      const places = uses
        .slice(0, 3)
        .map(({ locationId, evseUid, connectorId }) => `${locationId} ${evseUid} ${connectorId}`);
      const named = `${places.join(', ')}${total > 3 ? ' …' : ''}`;
      throw refuse('tariff-in-use', `${total === 1 ? '1 Connector names' : `${total} Connectors name`} ${tariffId}: ${named}`);
    }
    return this.withdraw(key, 'operator', { commandId });
  }

  /** One that the settings dropped at an instant, unless somebody published it again since. */
  async withdrawDropped(tariffId: string, droppedMs: number): Promise<void> {
    const key = await this.ownKey(tariffId);
    if (!key) return;
    const last = (await this.history(key)).findLast((turn) => turn.type === 'TariffWithdrawn' || turn.after === undefined);
    if (last && last.atMs <= droppedMs) await this.withdraw(key, 'settings');
  }

  /**
   * A price for a time is over: what it was published over prices charges again, and is published anew, for partners
   * hold the newest version of an id alone. Not where another was published or withdrawn since.
   */
  async returnEarlier({ version, ...key }: TariffKey & { readonly version: number }): Promise<void> {
    const nowMs = this.parts.clock.now();
    const versions = versionsUpTo(await this.history(key), nowMs);
    const { valid } = inForce(versions, nowMs, ({ text }) => JSON.parse(text) as Tariff);
    if (versions[0]?.version !== version || !valid || valid.version === version) return;
    const { last_updated: _, ...given } = JSON.parse(valid.text) as Tariff;
    await this.publish(given, { source: 'operator', commandId: `return ${streamOf(key)} ${version}`, after: version });
  }

  /** The version in force at an instant (now when absent). */
  async find(key: TariffKey, asOf?: string): Promise<TariffPublished | undefined> {
    const atMs = asOf === undefined ? this.parts.clock.now() : readInstant(asOf);
    return versionAt(await this.history(key), atMs);
  }

  /** The same of one of ours, whichever of our parties offers it. */
  async findOwn(tariffId: string, asOf?: string): Promise<TariffPublished | undefined> {
    const key = await this.ownKey(tariffId);
    return key && this.find(key, asOf);
  }

  /** Every version that we held, newest first. */
  async versions(key: TariffKey): Promise<HeldVersion[]> {
    const events = await this.history(key);
    return events
      .flatMap((published, n) =>
        published.type === 'TariffPublished' ? [{ published, until: events[n + 1]?.at }] : [],
      )
      .reverse();
  }

  /** Which of a Connector's tariffs applies, in the version in force then, and why no other. */
  async select(request: SelectRequest): Promise<Selected> {
    return (await this.selection(request)).selected;
  }

  /** `tariffAt`: which of the same would apply to a charge that begins later. */
  private async selection(request: SelectRequest) {
    const { party, tariffIds, tokenType, profileType, tokenParty, at } = request;
    const named = await Promise.all(
      tariffIds.map(async (tariffId) => ({ tariffId, history: await this.history({ party, tariffId }) })),
    );
    const candidatesAt = candidatesFrom(named);
    const payer = { tokenType, profile: profileType ?? null, atMs: readInstant(at), tokenParty };
    const offers = await this.offersOf(party, payer.atMs);
    const chosenAt = (atMs: number) => {
      const choiceOf = (candidates: readonly HeldCandidate[]) => ({ candidates, ...choose(candidates, { ...payer, atMs }, offers) });
      const newest = choiceOf(candidatesAt(atMs));
      if (newest.chosen) return newest;
      const before = choiceOf(candidatesAt(atMs, { ended: 'left out' }));
      return before.chosen ? before : newest;
    };
    const { candidates, chosen, others } = chosenAt(payer.atMs);
    if (!chosen) {
      const reasons = others.map(({ tariffId, why }) => `${tariffId} ${why}`).join('; ');
      throw refuse('no-tariff-applies', `none applies to ${tokenType} at ${at}: ${reasons}`);
    }
    const { version: held, tariff } = candidates[chosen.index]!;
    const { version, text } = held!;
    const why = `${tariff!.id}, version ${version}: ${chosen.why}`;
    const tariffAt = (atMs: number): Tariff | undefined => {
      const { candidates: then, chosen: later } = chosenAt(atMs);
      return later && then[later.index]!.tariff;
    };
    const selected: Selected = { tariff: tariff!, version, text, why, others };
    return { selected, tariffAt };
  }

  async quote({ timeZone, energyKwh, durationS, powerKw, ahead, ...request }: QuoteWish) {
    const { selected: { tariff }, tariffAt } = await this.selection(request);
    const wish = {
      start: request.at,
      energyKwh,
      ...(isTimeZone(timeZone) && { timeZone }),
      ...(durationS > 0 ? { stayMs: durationS * 1_000 } : {}),
      ...(powerKw === undefined ? {} : { powerKw }),
    };
    return { tariff, ...quoted(tariff, wish, { ...ahead, tariffAt }) };
  }

  /**
   * What its author should look at, by the rules of its party's country unless another is named, and by the meters of
   * the EVSEs that have it in the settings unless others are.
   */
  lint(tariff: unknown, { evses, ...facts }: Omit<LintFacts, 'now'> = {}): Finding[] {
    const { parties, clock, evsesOf } = this.parts;
    const owner = parties.ownerOf(tariff as Partial<Tariff>, 'CPO');
    const party = owner.ok ? owner.party : parties.withRole('CPO');
    const { id } = (tariff ?? {}) as { id?: unknown };
    const known = (evses ?? []).length > 0 || typeof id !== 'string' ? undefined : evsesOf({ ...party, id });
    return lint(tariff, { country: party.country_code, now: rfc3339(clock.now()), ...(evses && { evses }), ...known, ...facts });
  }

  /** The same of a version as it was published: what holds when it has ended is said, too. */
  async lintPublished(tariff: Tariff): Promise<Finding[]> {
    const { end_date_time: end, id } = tariff;
    if (end == null) return this.lint(tariff);
    const history = await this.history(keyOfParty(tariff, id));
    const [after] = candidatesFrom([{ tariffId: id, history }])(instant(end), { ended: 'left out' });
    const returns = after!.tariff && isValidAt(after!.tariff, instant(end)) ? after!.version!.version : undefined;
    return this.lint(tariff, returns === undefined ? {} : { returns });
  }

  /**
   * Ours, or those of one of our parties, in order of creation; only what one of these partners' parties is
   * offered now, where some are named.
   */
  async list(request: PageRequest, to: readonly Party[], owner?: Party): Promise<ObjectPage> {
    const { db, grants, clock, parties } = this.parts;
    const offers = to.length === 0 ? [] : (await grants.at(db, clock.now())).offers;
    const others = offers.flatMap(({ tariffIds }) => tariffIds).filter((id) => !isOffered(id, to, offers));
    const except = others.flatMap((id) => parties.all.map((party) => streamOf(keyOfParty(party, id))));
    return listOffered(db, request, { except, owner });
  }

  /** What a partner is granted, from a month on. */
  noteGrants(tx: Tx, fact: AgreementChanged): Promise<void> {
    return this.parts.grants.note(tx, fact);
  }

  private async withdraw(
    key: TariffKey, source: TariffSource, { commandId, foundAt }: { commandId?: string | undefined; foundAt?: string | undefined } = {},
  ): Promise<Change> {
    const atMs = this.parts.clock.now();
    const command: TariffCommand = {
      type: 'WithdrawTariff', source, at: rfc3339(atMs), atMs,
      ...(commandId === undefined ? {} : { commandId }), ...(foundAt === undefined ? {} : { foundMs: readInstant(foundAt) }),
    };
    const name = ['withdraw', source, command.at, commandId].join(' ');
    const trace = currentTraceparent();
    const { events } = await this.parts.tariffs.execute(streamOf(key), name, command, trace);
    return events.some(({ type }) => type === 'TariffWithdrawn') ? 'updated' : 'unchanged';
  }

  private async history(key: TariffKey): Promise<TariffTurn[]> {
    const stored = await this.parts.store.read(streamOf(key));
    const events = stored.map(({ type, data }) => ({ ...(JSON.parse(data) as object), type }) as TariffEvent);
    return events.filter((event) => event.type !== 'TariffKept');
  }

  /** Partners' agreements with others are none of ours. */
  private async offersOf({ countryCode, partyId }: TariffKey['party'], atMs: number): Promise<readonly Offer[]> {
    const { db, grants, parties } = this.parts;
    const isOurs = parties.has({ country_code: countryCode, party_id: partyId });
    return isOurs ? (await grants.at(db, atMs)).offers : [];
  }

  /** Whose it is said to be; else whose it was before. An id is one party's. */
  private async offererOf(given: Partial<Tariff>): Promise<Party> {
    const { id = '', country_code, party_id } = given;
    const owner = this.parts.parties.ownerOf(given, 'CPO');
    if (!owner.ok) throw refuse('invalid-object', owner.message);
    const held = await this.holderOf(id);
    if (!held || sameParty(held, owner.party)) return owner.party;
    if (country_code === undefined && party_id === undefined) return held;
    throw refuse('tariff-of-another-party', `${id} is a tariff of ${partyText(held)}: under ${partyText(owner.party)} it needs another id`);
  }

  /** Of one that any of our parties ever published. */
  private async ownKey(tariffId: string): Promise<TariffKey | undefined> {
    const holder = await this.holderOf(tariffId);
    return holder && keyOfParty(holder, tariffId);
  }

  private async holderOf(tariffId: string): Promise<Party | undefined> {
    const { parties, tariffs } = this.parts;
    for (const party of parties.all) {
      const { state } = await tariffs.load(streamOf(keyOfParty(party, tariffId)));
      if (state.version > 0) return party;
    }
    return undefined;
  }
}

function keyOfParty({ country_code: countryCode, party_id: partyId }: Party, tariffId: string): TariffKey {
  return { party: { countryCode, partyId }, tariffId };
}

function readInstant(text: string): number {
  try {
    return instant(text);
  } catch (error) {
    throw refuse('invalid-object', `at: ${(error as Error).message}`);
  }
}
