import { type Connector, idKey, instantMs, type Evse, type Location, type Session } from '#ocpi';
import { lately } from './lately.ts';
import { isWithdrawn } from './views.ts';

/** The modules whose objects a partner is told of as they change. */
export type PushedModule = 'locations' | 'tariffs' | 'tokens' | 'sessions' | 'hubclientinfo' | 'chargingprofiles';

/** One request that says a part of what changed; `path` is below the object's own URL. */
export interface Step {
  readonly method: 'PUT' | 'PATCH' | 'DELETE';
  readonly path: readonly string[];
  readonly body: string;
}

/** An object as it is now and as the partner last acknowledged it; undefined: it is not there. */
export interface Compared {
  readonly current: string | undefined;
  readonly acknowledged: string | undefined;
  /** The last request may have been taken. */
  readonly unclear: boolean;
  /** Since when what partners are granted is so, epoch ms: what is only as new as that did not change. */
  readonly grantedMs?: number | undefined;
}

/**
 * What has to be sent, so that the partner has what is now. PUT where nothing is known to be there; else
 * the real difference (LOC-02, SES-03, TRN-61). A PATCH removes nothing: what lost a field is PUT.
 */
export function difference(module: PushedModule, { current, acknowledged, unclear, grantedMs }: Compared): readonly Step[] {
  if (current === undefined) return acknowledged === undefined && !unclear ? [] : [{ method: 'DELETE', path: [], body: '' }];
  if (current === acknowledged && !unclear) return [];
  const whole: Step[] = [{ method: 'PUT', path: [], body: current }];
  if (acknowledged === undefined || unclear) return whole;
  if (module === 'locations') {
    const known = stepsTo(current);
    const held = known.get(acknowledged);
    if (held && held.grantedMs === grantedMs) return held.steps;
    const steps = locationSteps(locationIn(acknowledged), locationIn(current), grantedMs) ?? whole;
    known.set(acknowledged, { steps, grantedMs });
    return steps;
  }
  const [was, is] = [JSON.parse(acknowledged), JSON.parse(current)] as [Json, Json];
  switch (module) {
    case 'tariffs':
    case 'chargingprofiles':
    case 'hubclientinfo': return whole;
    case 'tokens': return patched(was, is) ?? whole;
    case 'sessions': return sessionSteps(was as unknown as Session, is as unknown as Session) ?? whole;
  }
}

/** Of Locations that partners had before: many had the same. */
const stepsTo = lately(() => new Map<string, { readonly steps: readonly Step[]; readonly grantedMs: number | undefined }>());

/** A Location in parts, each beside its text: most have not changed. */
interface LocationParts {
  readonly own: Json;
  readonly ownText: string;
  readonly lastUpdated: string;
  readonly evses: ReadonlyMap<string, { readonly evse: Evse; readonly text: string }>;
  readonly isWithdrawn: boolean;
}

function locationIn(text: string): LocationParts {
  const location = JSON.parse(text) as Location;
  const { evses = [], last_updated: lastUpdated, ...own } = location;
  return {
    own: own as unknown as Json, ownText: JSON.stringify(own), lastUpdated, isWithdrawn: isWithdrawn(location),
    evses: new Map(evses.map((evse) => [idKey(evse.uid), { evse, text: JSON.stringify(evse) }])),
  };
}

type Json = Record<string, unknown>;

const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** The fields that changed; undefined when one went away. */
function changes(was: Json, is: Json): Json | undefined {
  if (Object.keys(was).some((key) => is[key] === undefined || is[key] === null)) return undefined;
  return Object.fromEntries(Object.entries(is).filter(([key, value]) => !same(was[key], value)));
}

function patched(was: Json, is: Json, path: readonly string[] = []): Step[] | undefined {
  const fields = changes(was, is);
  if (!fields) return undefined;
  if (Object.keys(fields).length === 0) return [];
  return [{ method: 'PATCH', path, body: JSON.stringify({ ...fields, last_updated: is.last_updated }) }];
}

/** charging_periods in a PATCH are appended, so only those go that are new; if an old one changed, all go by PUT. */
function sessionSteps(was: Session, is: Session): Step[] | undefined {
  const { charging_periods: known = [], ...before } = was;
  const { charging_periods: periods = [], ...after } = is;
  if (!same(periods.slice(0, known.length), known)) return undefined;
  const startsAt = (period: { start_date_time: string }) => instantMs(period.start_date_time) ?? 0;
  const added = periods.slice(known.length);
  // A receiver that dedupes by start (D12) would take one for the other.
  if (new Set(periods.map(startsAt)).size < periods.length) return undefined;
  const fields = changes(before as unknown as Json, after as unknown as Json);
  if (!fields) return undefined;
  const news = { ...fields, ...(added.length > 0 ? { charging_periods: added } : {}) };
  if (Object.keys(news).length === 0) return [];
  return [{ method: 'PATCH', path: [], body: JSON.stringify({ ...news, last_updated: is.last_updated }) }];
}

/** An EVSE's own fields by PATCH of the EVSE, a new or rebuilt EVSE by PUT of it, the Location's own fields by PATCH. */
function locationSteps(was: LocationParts, is: LocationParts, grantedMs?: number): Step[] | undefined {
  if ([...was.evses.keys()].some((uid) => !is.evses.has(uid))) return undefined;
  // What comes back comes whole: who was told that it is gone may have forgotten it.
  if (was.evses.size > 0 && was.isWithdrawn && !is.isWithdrawn) return undefined;
  const fields = was.ownText === is.ownText ? {} : changes(was.own, is.own);
  if (!fields) return undefined;
  const own: Step[] = Object.keys(fields).length === 0
    ? [] : [{ method: 'PATCH', path: [], body: JSON.stringify({ ...fields, last_updated: is.lastUpdated }) }];
  const steps = [...is.evses].flatMap(([uid, { evse, text }]) => {
    const before = was.evses.get(uid);
    return before?.text === text ? [] : evseSteps(before?.evse, evse, grantedMs);
  });
  return [...own, ...steps];
}

function evseSteps(was: Evse | undefined, is: Evse, grantedMs?: number): Step[] {
  const whole: Step = { method: 'PUT', path: [is.uid], body: JSON.stringify(is) };
  if (!was) return [whole];
  if (!same(was.connectors, is.connectors)) return isOnlyNewer(was, is, grantedMs) ? [] : [whole];
  return patched(was as unknown as Json, is as unknown as Json, [is.uid]) ?? [whole];
}

/**
 * LOC-02: such as of all whose tariffs one partner is granted, when that changes. What changed and came back is told, status or
 * Connector: who pulled in between has the other.
 */
function isOnlyNewer(was: Evse, is: Evse, grantedMs?: number): boolean {
  const undated = (evse: Evse) => JSON.stringify(evse, (key, value: unknown) => (key === 'last_updated' ? undefined : value));
  const isAsGranted = ({ id, last_updated: at }: Connector) =>
    instantMs(at) === grantedMs || was.connectors.some((one) => one.id === id && one.last_updated === at);
  return grantedMs !== undefined && is.connectors.every(isAsGranted) && undated(was) === undated(is);
}
