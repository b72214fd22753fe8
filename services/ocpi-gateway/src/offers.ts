import { Rejected } from '#decider';
import { Refused } from '#bus';
import { type Party, patchOf, read, type Route, routes, Tariff } from '#ocpi';
import { type Handler, type Handlers, interfacePath, type OcpiRequest } from './exchange.ts';
import { refuse } from './refusals.ts';
import { hasRoute, partyIn, type SpokenVersion } from './versions.ts';

/** A request that this server answers, in one of the versions it speaks. */
export interface Offer {
  readonly version: SpokenVersion;
  readonly url: string;
  readonly route: Route;
  readonly handler: Handler;
  /** In 2.1.1 both interfaces of a module are at one URL: the other that a URL of this shape may mean. */
  readonly other?: { readonly route: Route; readonly handler: Handler };
}

/** Every request of #ocpi's table that has a handler, in every version that has it. */
export function offersOf(handlers: Handlers, versions: readonly SpokenVersion[]): Offer[] {
  return versions.flatMap((version, i) => {
    const adapted = version === '2.1.1' ? handlersOf211(handlers) : handlers;
    const all = (version === '2.1.1' ? [...routes, tariffPatch] : routes).flatMap((route): Offer[] => {
      const handler = adapted[`${route.role} ${route.module} ${route.method} ${route.path}`];
      // The versions endpoint is above all versions.
      if (!handler || !hasRoute(version, route) || (route.module === 'versions' && i > 0)) return [];
      return [{ version, url: urlOf(route, version), route, handler }];
    });
    return merged(all);
  });
}

function urlOf(route: Route, version: SpokenVersion): string {
  if (route.module === 'versions') return route.path === '' ? '/ocpi/versions' : '/ocpi/:version';
  if (route.module === 'credentials') return `/ocpi/${version}/credentials`;
  return `${interfacePath({ module: route.module, role: route.role }, version)}${route.path}`;
}

/** A URL whatever its parameters are called. */
export function shapeOf(url: string): string {
  return url.replace(/:[a-z_]+/g, ':');
}

/** Two requests of one shape are one offer; who is asked then depends on the parties in the URL. */
function merged(offers: readonly Offer[]): Offer[] {
  const shapes = Map.groupBy(offers, ({ route, url }) => `${route.method} ${shapeOf(url)}`);
  return [...shapes.values()].map((same) => {
    const [first, second] = same.toSorted((a, b) => a.route.role.localeCompare(b.route.role));
    return second ? { ...first!, other: { route: second.route, handler: second.handler } } : first!;
  });
}

/** What a request means: below a party of the caller's own is an object of the caller's. */
export function meant(offer: Offer, params: Readonly<Record<string, string>>, isCallers: (party: Party) => boolean) {
  if (!offer.other) return { route: offer.route, handler: offer.handler, params };
  const values = Object.values(params);
  const named = (route: Route) => Object.fromEntries(
    route.path.split('/').filter((part) => part.startsWith(':')).map((part, i) => [part.slice(1), values[i]!]),
  );
  const own = named(offer.route);
  const party = partyIn(own);
  if (party && isCallers(party)) return { route: offer.route, handler: offer.handler, params: own };
  return { ...offer.other, params: named(offer.other.route) };
}

const tariffPath = '/:country_code/:party_id/:tariff_id';
/** Of 2.1.1 alone. */
const tariffPatch: Route = {
  ...routes.find(({ module, method }) => module === 'tariffs' && method === 'PUT')!,
  method: 'PATCH',
  body: patchOf('Tariff', Tariff),
};

/** What 2.1.1 asks that 2.2.1 does not: a Token without its type, a PATCH of a Tariff. */
function handlersOf211(handlers: Handlers): Handlers {
  const tokenPath = '/:country_code/:party_id/:token_uid';
  const getToken = handlers[`RECEIVER tokens GET ${tokenPath}`];
  const typed = (['GET', 'PUT', 'PATCH'] as const).flatMap((method) => {
    const handler = handlers[`RECEIVER tokens ${method} ${tokenPath}`];
    return handler && getToken ? [[`RECEIVER tokens ${method} ${tokenPath}`, withType(handler, getToken)]] : [];
  });
  const [get, put] = (['GET', 'PUT'] as const).map((method) => handlers[`RECEIVER tariffs ${method} ${tariffPath}`]);
  return {
    ...handlers,
    ...Object.fromEntries(typed),
    ...(get && put ? { [`RECEIVER tariffs PATCH ${tariffPath}`]: patchedTariff(get, put) } : {}),
  };
}

/** The type is in the body, or it is the one under which the uid is known: an RFID, else an OTHER. */
function withType(handler: Handler, get: Handler): Handler {
  return async (request: OcpiRequest) => {
    const as = (one: Handler, type: string) => one({ ...request, query: { ...request.query, type } });
    const { type } = (request.body ?? {}) as { type?: string };
    if (type !== undefined) return as(handler, type);
    for (const known of ['RFID', 'OTHER']) if (await isThere(as(get, known))) return as(handler, known);
    return as(handler, 'RFID');
  };
}

function isThere(found: Promise<unknown>): Promise<boolean> {
  return found.then(() => true, (error: unknown) => {
    if ((error instanceof Rejected || error instanceof Refused) && error.code === 'not-found') return false;
    throw error;
  });
}

function patchedTariff(get: Handler, put: Handler): Handler {
  return async (request) => {
    const known = JSON.parse((await get(request)).dataJson ?? '{}') as object;
    const patched = read(Tariff, { ...known, ...(request.body as object) });
    if (!patched.ok) throw refuse('invalid-parameters', patched.message);
    return put({ ...request, body: patched.value, text: JSON.stringify(patched.value) });
  };
}
