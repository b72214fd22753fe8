import { type Decider, Rejected } from '#decider';
import { chargerKey } from './feeder.ts';
import { isNews, type SettledProfile, type Unit } from './profile.ts';
import { instant } from '#time';

/** What a site's owner decided and what the stations answered: the log that a new owner reads. */
export type LimitEvent = AtSite &
  (
    | { readonly type: 'OwnerTook'; readonly epoch: number }
    /** Written before the order leaves, when the limit changes: that it is renewed is not. */
    | ({ readonly type: 'LimitTold' } & LimitOf & { readonly reason: string })
    | ({ readonly type: 'LimitConfirmed' } & LimitOf & { readonly reason: string })
    /** For people: what the charger may do does not follow from it. */
    | ({ readonly type: 'LimitNotConfirmed' } & LimitOf & { readonly outcome: string })
    | ({ readonly type: 'FailSafeConfirmed' } & LimitOf)
    | ({ readonly type: 'FailSafeRefused' } & OfCharger)
    /** A charging profile is obeyed, or was not in time and counts no more. */
    | ({ readonly type: 'ProfileSettled' } & OfCharger & SettledProfile & OfSession)
    /** What the charge there may draw, for who follows its session. */
    | ({ readonly type: 'ActiveProfileChanged' } & OfCharger & Ahead)
    | ({ readonly type: 'FeederOverloaded' } & Load)
    | ({ readonly type: 'FeederRelieved' } & Load)
  );

export type LimitCommand = AtSite & { readonly epoch: number } & (
    { readonly type: 'TakeSite' } | { readonly type: 'TakeNotes'; readonly notes: readonly Note[] }
  );

/** What an owner does or learns. The same again is no news. */
export type Note =
  | ({ readonly type: 'TellLimit' } & LimitOf & { readonly reason: string })
  | ({ readonly type: 'ConfirmLimit' } & LimitOf)
  | ({ readonly type: 'DoubtLimit' } & LimitOf & { readonly outcome: string })
  | ({ readonly type: 'ConfirmFailSafe' } & LimitOf)
  | ({ readonly type: 'RefuseFailSafe' } & OfCharger)
  | ({ readonly type: 'SettleProfile' } & OfCharger & SettledProfile & OfSession)
  | ({ readonly type: 'TellProfile' } & OfCharger & Ahead)
  | ({ readonly type: 'JudgeFeeder' } & Load);

interface AtSite {
  readonly siteId: string;
  /** RFC 3339 UTC, the platform's clock. */
  readonly at: string;
}

interface OfCharger {
  readonly stationId: string;
  readonly connectorId: number;
}

interface OfSession {
  readonly sessionId: string;
}

interface Ahead extends OfSession, Unit {
  readonly steps: readonly { readonly at: string; readonly limitMa: number }[];
}

interface LimitOf extends OfCharger {
  readonly limitMa: number;
}

interface Load {
  readonly feeder: string;
  readonly exposedMa: number;
  readonly limitMa: number;
}

/** not-the-owner: another process took the site since. */
export type LimitRefusal = 'not-the-owner';

export interface SiteLimits {
  readonly epoch: number;
  readonly overloaded: boolean;
  readonly chargers: ReadonlyMap<string, ChargerLimits>;
}

export interface ChargerLimits {
  /** The last told, whether obeyed or not, why, and since when it has been 0 or more than 0. */
  readonly toldMa: number | undefined;
  readonly reason: string;
  readonly turnedAt: string;
  /** The limit confirmed last and every one told since: what a new owner has to reckon with. */
  readonly assumedMa: readonly number[];
  /** The last told is confirmed. */
  readonly settled: boolean;
  readonly failSafeMa: number | undefined;
  /** Of the last order that was not confirmed. */
  readonly doubt: string;
  /** The charging profile that was settled last. */
  readonly profile: SettledProfile | undefined;
  /** The session whose active profile is told: a profile of it was obeyed. '' = none. */
  readonly followed: string;
  /** What of it was told last. */
  readonly ahead: Ahead['steps'];
}

export const untold: ChargerLimits = {
  toldMa: undefined,
  reason: '',
  turnedAt: '',
  assumedMa: [],
  settled: false,
  failSafeMa: undefined,
  doubt: '',
  profile: undefined,
  followed: '',
  ahead: [],
};

export const limits: Decider<SiteLimits, LimitCommand, LimitEvent> = {
  initial: { epoch: 0, overloaded: false, chargers: new Map() },

  decide(command, state) {
    const { siteId, at, epoch } = command;
    if (epoch < state.epoch) throw new Rejected<LimitRefusal>('not-the-owner');
    if (command.type === 'TakeSite') {
      return epoch === state.epoch ? [] : [{ type: 'OwnerTook', siteId, at, epoch }];
    }
    if (epoch > state.epoch) throw new Rejected<LimitRefusal>('not-the-owner');
    const events: LimitEvent[] = [];
    let now = state;
    for (const note of command.notes) {
      const news = newsOf(note, now);
      if (!news) continue;
      const event: LimitEvent = { siteId, at, ...news };
      events.push(event);
      now = limits.evolve(now, event);
    }
    return events;
  },

  evolve(state, event) {
    switch (event.type) {
      case 'OwnerTook':
        return { ...state, epoch: event.epoch };
      case 'FeederOverloaded':
        return { ...state, overloaded: true };
      case 'FeederRelieved':
        return { ...state, overloaded: false };
      default: {
        const key = chargerKey(event.stationId, event.connectorId);
        const charger = evolveCharger(limitsOf(state, event), event);
        return { ...state, chargers: new Map(state.chargers).set(key, charger) };
      }
    }
  },
};

type News<E = LimitEvent> = E extends unknown ? Omit<E, keyof AtSite> : never;

function newsOf(note: Note, state: SiteLimits): News | undefined {
  if (note.type === 'JudgeFeeder') {
    const overloaded = note.exposedMa > note.limitMa;
    if (overloaded === state.overloaded) return undefined;
    return { ...note, type: overloaded ? 'FeederOverloaded' : 'FeederRelieved' };
  }
  const charger = limitsOf(state, note);
  switch (note.type) {
    case 'TellLimit':
      return note.limitMa === charger.toldMa ? undefined : { ...note, type: 'LimitTold' };
    case 'ConfirmLimit':
      if (charger.settled && charger.assumedMa[0] === note.limitMa) return undefined;
      return { ...note, type: 'LimitConfirmed', reason: charger.reason };
    case 'DoubtLimit':
      if (charger.doubt === doubt(note.limitMa, note.outcome)) return undefined;
      return { ...note, type: 'LimitNotConfirmed' };
    case 'ConfirmFailSafe':
      if (note.limitMa === charger.failSafeMa) return undefined;
      return { ...note, type: 'FailSafeConfirmed' };
    case 'RefuseFailSafe':
      return charger.failSafeMa === undefined ? undefined : { ...note, type: 'FailSafeRefused' };
    case 'SettleProfile':
      return note.orderId === charger.profile?.orderId ? undefined : { ...note, type: 'ProfileSettled' };
    case 'TellProfile': {
      const isKnown = note.sessionId !== charger.followed || !isNews(inMs(charger.ahead), inMs(note.steps));
      return isKnown ? undefined : { ...note, type: 'ActiveProfileChanged' };
    }
  }
}

const inMs = (steps: Ahead['steps']) => steps.map((step) => ({ ...step, at: instant(step.at) }));

export function limitsOf(state: SiteLimits, { stationId, connectorId }: OfCharger): ChargerLimits {
  return state.chargers.get(chargerKey(stationId, connectorId)) ?? untold;
}

const doubt = (limitMa: number, outcome: string): string => `${outcome} ${limitMa}`;

function evolveCharger(
  charger: ChargerLimits,
  event: Extract<LimitEvent, OfCharger>,
): ChargerLimits {
  switch (event.type) {
    case 'LimitTold': {
      const { limitMa, reason, at } = event;
      const turned = charger.toldMa === undefined || charger.toldMa > 0 !== limitMa > 0;
      const others = charger.assumedMa.filter((ma) => ma !== limitMa);
      return {
        ...charger,
        toldMa: limitMa,
        reason,
        turnedAt: turned ? at : charger.turnedAt,
        assumedMa: [...others, limitMa],
        settled: false,
        doubt: '',
      };
    }
    case 'LimitConfirmed':
      return { ...charger, assumedMa: [event.limitMa], settled: true, doubt: '' };
    case 'LimitNotConfirmed':
      return { ...charger, doubt: doubt(event.limitMa, event.outcome) };
    case 'FailSafeConfirmed':
      return { ...charger, failSafeMa: event.limitMa };
    case 'FailSafeRefused':
      return { ...charger, failSafeMa: undefined };
    case 'ProfileSettled': {
      const { orderId, obeyed, sessionId } = event;
      const settled = { ...charger, profile: { orderId, obeyed } };
      if (!obeyed || charger.followed === sessionId) return settled;
      return { ...settled, followed: sessionId, ahead: [] };
    }
    case 'ActiveProfileChanged':
      return { ...charger, ahead: event.steps };
  }
}
