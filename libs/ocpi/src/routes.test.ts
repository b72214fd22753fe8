import { expect, test } from 'vitest';
import { routes } from './routes.ts';
import { typicalInterfaces } from './registration.ts';

const of = (module: string, role?: string) =>
  routes.filter((route) => route.module === module && (role === undefined || route.role === role));
const methods = (module: string, role: string) => [...new Set(of(module, role).map(({ method }) => method))].sort();

test('TRN-10 each interface has its methods and no others', () => {
  const table = Object.fromEntries([...new Set(routes.map(({ module, role }) => `${module} ${role}`))]
    .map((key) => [key, methods(...(key.split(' ') as [string, string])).join(' ')]));
  expect(table).toEqual({
    'versions SENDER': 'GET',
    'credentials SENDER': 'DELETE GET POST PUT',
    'locations SENDER': 'GET',
    'locations RECEIVER': 'GET PATCH PUT',
    'sessions SENDER': 'GET PUT',
    'sessions RECEIVER': 'GET PATCH PUT',
    'cdrs SENDER': 'GET',
    'cdrs RECEIVER': 'GET POST',
    'tariffs SENDER': 'GET',
    'tariffs RECEIVER': 'DELETE GET PUT',
    'tokens SENDER': 'GET POST',
    'tokens RECEIVER': 'GET PATCH PUT',
    'commands RECEIVER': 'POST',
    'commands SENDER': 'POST',
    'chargingprofiles RECEIVER': 'DELETE GET PUT',
    'chargingprofiles SENDER': 'POST PUT',
    'hubclientinfo SENDER': 'GET',
    'hubclientinfo RECEIVER': 'GET PUT',
  });
});

test('HUB-01 HUB-02 routing headers are on functional modules, never on configuration modules', () => {
  for (const route of routes) {
    const isConfiguration = ['versions', 'credentials', 'hubclientinfo'].includes(route.module);
    expect(route.routingHeaders, route.module).toBe(!isConfiguration);
  }
});

test('TRN-70 client-owned objects are under their owner\'s country code and party id', () => {
  for (const module of ['locations', 'sessions', 'tariffs', 'tokens', 'hubclientinfo']) {
    for (const route of of(module, 'RECEIVER')) expect(route.path).toMatch(/^\/:country_code\/:party_id/);
  }
});

test('TRN-50 lists are paginated, and Sessions need date_from', () => {
  const lists = routes.filter(({ list }) => list).map(({ module, list }) => `${module} ${list}`);
  expect(lists.sort()).toEqual([
    'cdrs paged', 'hubclientinfo paged', 'locations paged', 'sessions dated', 'tariffs paged', 'tokens paged',
  ]);
});

test('TRN-65 POST, PUT and PATCH have a body, GET and DELETE none', () => {
  for (const { method, path, body } of routes) {
    expect(body !== undefined, `${method} ${path}`).toBe(['POST', 'PUT', 'PATCH'].includes(method));
  }
});

test('CMD-11 each of the five commands has its own body', () => {
  expect(of('commands', 'RECEIVER').map(({ path }) => path).sort()).toEqual([
    '/CANCEL_RESERVATION', '/RESERVE_NOW', '/START_SESSION', '/STOP_SESSION', '/UNLOCK_CONNECTOR',
  ]);
});

test('TOK-01 the type of a token in a query is RFID unless it is said', () => {
  const { query } = of('tokens', 'RECEIVER')[0]!;
  expect([query!.parse({}), query!.parse({ type: 'APP_USER' })]).toEqual([{ type: 'RFID' }, { type: 'APP_USER' }]);
  expect(query!.safeParse({ type: 'CARD' }).success).toBe(false);
});

test('CHP-01 D27 asking for an active profile needs a duration and a response_url of at most 255 characters', () => {
  const { query } = of('chargingprofiles', 'RECEIVER').find(({ method }) => method === 'GET')!;
  const response_url = 'https://plunk.example/ocpi/profiles/1';
  expect(query!.parse({ duration: '900', response_url })).toEqual({ duration: 900, response_url });
  const long = { duration: '900', response_url: response_url.padEnd(256, 'x') };
  for (const wrong of [{}, { duration: '900' }, { duration: 'x', response_url }, long]) {
    expect(query!.safeParse(wrong).success).toBe(false);
  }
});

test('TOK-03 only authorize may come without its body', () => {
  expect(routes.filter(({ bodyOptional }) => bodyOptional).map(({ path }) => path)).toEqual(['/:token_uid/authorize']);
});

test('VER-07 every typical interface of every role is in the table', () => {
  for (const { module, role } of Object.values(typicalInterfaces).flat()) {
    expect(of(module, role).length, `${module} ${role}`).toBeGreaterThan(0);
  }
});
