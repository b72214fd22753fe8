import { type Decider, Rejected } from '#decider';
import type { Party } from '#ocpi';
import { type AgreementTerms, sameTerms, SettlementCalendar, termsProblem } from '#settlement';
import { rfc3339, zone } from '#time';

/**
 * What we agreed on with one partner: the stream `agreement-<party>`. Each version holds from its
 * month until the next one does; one for the same month replaces it. What is closed stays as it is.
 */
export interface AgreementSet {
  readonly type: 'AgreementSet';
  readonly partner: Party;
  /** 1, 2, 3 … in the order in which they were set. */
  readonly version: number;
  readonly terms: AgreementTerms;
  readonly at: string;
  readonly commandId?: string | undefined;
}

/** What was ordered held already: the same order, come again after another one, sets nothing. Nobody is told. */
export interface AgreementKept {
  readonly type: 'AgreementKept';
  readonly at: string;
  readonly commandId: string;
}

export type AgreementEvent = AgreementSet | AgreementKept;

export interface SetAgreement {
  readonly type: 'SetAgreement';
  /** The same on every retry, where whoever orders has one. */
  readonly commandId?: string | undefined;
  readonly own: Party;
  readonly partner: Party;
  readonly terms: AgreementTerms;
  /** Platform time, epoch ms. */
  readonly now: number;
}

export type AgreementRefusal = 'invalid-object' | 'month-closed';

export interface AgreementState {
  readonly versions: number;
  /** Those that hold, by their first month; few. */
  readonly holding: Readonly<Record<string, AgreementSet>>;
  /** That were carried out: a repeat of one sets nothing, whatever was set since. */
  readonly commands: readonly string[];
}

export const agreementDecider: Decider<AgreementState, SetAgreement, AgreementEvent> = {
  initial: { versions: 0, holding: {}, commands: [] },

  decide({ commandId, own, partner, terms, now }, agreement) {
    const held = agreement.holding[terms.valid_from];
    if (commandId !== undefined && agreement.commands.includes(commandId)) {
      if (isOf(held, commandId, terms)) return [];
      throw refuse('invalid-object', `${commandId}: was the id of an order with other terms`);
    }
    const problem = termsProblem(terms, [own, partner]);
    if (problem !== undefined) throw refuse('invalid-object', problem);
    if (held && sameTerms(held.terms, terms)) {
      return commandId === undefined ? [] : [{ type: 'AgreementKept', at: rfc3339(now), commandId }];
    }
    const closed = closedMonth(agreement, terms, now);
    if (closed !== undefined) throw refuse('month-closed', closed);
    const { country_code, party_id } = partner;
    const version = agreement.versions + 1;
    return [{
      type: 'AgreementSet', partner: { country_code, party_id }, version, terms, at: rfc3339(now), commandId,
    }];
  },

  evolve(agreement, event) {
    const commands = event.commandId === undefined ? agreement.commands : [...agreement.commands, event.commandId];
    if (event.type === 'AgreementKept') return { ...agreement, commands };
    const holding = { ...agreement.holding, [event.terms.valid_from]: event };
    return { versions: event.version, holding, commands };
  },
};

/** Whether the order may have been with these terms: what was replaced since is not kept. */
function isOf(held: AgreementSet | undefined, commandId: string, terms: AgreementTerms): boolean {
  if (held === undefined) return false;
  return held.commandId !== commandId || sameTerms(held.terms, terms);
}

/** Those that hold, by their first month. */
export function holdingVersions({ holding }: AgreementState): AgreementSet[] {
  return Object.values(holding).sort((a, b) => (a.terms.valid_from < b.terms.valid_from ? -1 : 1));
}

/** Before the first version there are no closings, and so no zone that matters. */
const NO_ZONE = zone('UTC');

/**
 * Statements that are closed never change: neither is the first month of the new terms closed, by the
 * old rule or the new one, nor does a new zone move the end of a month that is.
 */
function closedMonth(agreement: AgreementState, terms: AgreementTerms, now: number): string | undefined {
  const held = holdingVersions(agreement).map((version) => version.terms);
  const before = new SettlementCalendar(held, NO_ZONE);
  const others = held.filter(({ valid_from }) => valid_from !== terms.valid_from);
  const after = new SettlementCalendar([...others, terms], NO_ZONE);
  for (const calendar of [before, after]) {
    const closes = calendar.closesAt(terms.valid_from);
    if (closes !== undefined && closes < now) {
      return `valid_from: ${terms.valid_from} was closed on ${rfc3339(closes)}; choose a later month`;
    }
  }
  const [ended, end] = [before.endBefore(terms.valid_from), after.endBefore(terms.valid_from)];
  if (ended !== undefined && ended.closesAt < now && ended.to !== end?.to) {
    return `time_zone: the month before ${terms.valid_from} was closed on ${rfc3339(ended.closesAt)} and would end elsewhere; choose a later month`;
  }
  return undefined;
}

function refuse(code: AgreementRefusal, detail: string): Rejected<AgreementRefusal> {
  return new Rejected(code, detail);
}
