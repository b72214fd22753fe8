import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleToken, nextLink, type Token } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

let plunk: Side;
let operator: HandPartner;

beforeAll(async () => {
  plunk = await openSide({ party: { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' } });
  plunk.neighbours.own.tokens.push(...['A', 'B', 'C', 'D', 'E'].map((uid): Token => ({ ...exampleToken, party_id: 'CPK', uid })));
  operator = await HandPartner.open('Islands', 'ISL', 'CPO', ['SENDER locations']);
  await operator.register(plunk);
});
afterAll(async () => {
  await operator?.close();
  await plunk?.close();
});

const page = async (path: string) => {
  const { data, headers } = await call(plunk, path, { token: operator.token });
  return {
    uids: (data as Token[]).map(({ uid }) => uid).join(''),
    total: headers.get('x-total-count'),
    link: nextLink(headers.get('link') ?? undefined),
  };
};

test('TRN-52 TRN-54 a Link goes on behind its page: what leaves the list before it takes nothing with it', async () => {
  const tokens = '/ocpi/2.2.1/sender/tokens';
  const first = await page(tokens);
  expect(first).toMatchObject({ uids: 'AB', total: '5' });
  expect(new URL(first.link!).searchParams.toString()).toBe('offset=2&limit=2&after=2.2');
  plunk.neighbours.own.tokens.shift();
  const second = await page(first.link!);
  expect(second).toMatchObject({ uids: 'CD', total: '4' });
  // By its offset the list would be at its end.
  const third = await page(second.link!);
  expect(third).toEqual({ uids: 'E', total: '4', link: undefined });
  expect(await page(`${tokens}?offset=2`)).toMatchObject({ uids: 'DE', link: undefined });
});

test('CRE-08 CRE-11 of requests at the same time each has its own caller, and a token that died opens nothing', async () => {
  const versions = (token: string) => call(plunk, '/ocpi/versions', { token });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => versions(n % 3 === 0 ? 'nobody' : operator.token)));
  expect(answers.map(({ http }) => http)).toEqual(answers.map((_, n) => (n % 3 === 0 ? 401 : 200)));
  await call(plunk, '/ocpi/2.2.1/credentials', { token: operator.token, method: 'DELETE' });
  const later = await Promise.all(Array.from({ length: 10 }, () => versions(operator.token)));
  expect(later.map(({ http }) => http)).toEqual(Array(10).fill(401));
});
