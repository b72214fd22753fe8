import { afterAll, beforeAll, expect, test, vi } from 'vitest';
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
  return { uids: (data as Token[]).map(({ uid }) => uid).join(''), total: headers.get('x-total-count'), link: nextLink(headers.get('link') ?? undefined) };
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

test('TRN-54 who follows the Links has the next page read ahead, and gets it as it is when it is asked for', async () => {
  const { pages, own: { tokens } } = plunk.neighbours;
  const fresh = (uid: string): Token => ({ ...exampleToken, party_id: 'CPK', uid });
  tokens.splice(0, tokens.length, ...['1', '2', '3', '4', '5', '6', '7', '8', '9'].map(fresh));
  pages.length = 0;
  const behind = (offset: number) => vi.waitFor(() => expect(pages.map((one) => one.offset)).toContain(offset));
  const first = await page('/ocpi/2.2.1/sender/tokens');
  const second = await page(first.link!);
  await behind(4);
  const third = await page(second.link!);
  expect([first.uids, second.uids, third.uids]).toEqual(['12', '34', '56']);
  // Of the first nothing was read ahead; the third was read once, and asked for once more.
  const asked = [{ offset: 0, whole: true }, { offset: 2, whole: true }, { offset: 4, whole: true }, { offset: 4, whole: false }];
  expect(pages.slice(0, 4)).toEqual(asked);
  await behind(6);
  Object.assign(tokens[6]!, { valid: false });
  tokens.splice(7, 1);
  tokens.push(fresh('A'));
  const fourth = await call(plunk, third.link!, { token: operator.token });
  expect((fourth.data as Token[]).map(({ uid, valid }) => [uid, valid])).toEqual([['7', false], ['9', true]]);
});

test('TRN-54 a page that was read ahead and is asked for again, or by another offset, is read as any', async () => {
  const { pages } = plunk.neighbours;
  const first = await page('/ocpi/2.2.1/sender/tokens');
  const second = await page(first.link!);
  pages.length = 0;
  expect(await page(first.link!)).toEqual(second);
  expect((await page('/ocpi/2.2.1/sender/tokens?offset=3')).uids).toHaveLength(2);
  expect(await page(second.link!)).toEqual(await page(second.link!));
});

test('CRE-08 CRE-11 of requests at the same time each has its own caller, and a token that died opens nothing', async () => {
  const versions = (token: string) => call(plunk, '/ocpi/versions', { token });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => versions(n % 3 === 0 ? 'nobody' : operator.token)));
  expect(answers.map(({ http }) => http)).toEqual(answers.map((_, n) => (n % 3 === 0 ? 401 : 200)));
  await call(plunk, '/ocpi/2.2.1/credentials', { token: operator.token, method: 'DELETE' });
  const later = await Promise.all(Array.from({ length: 10 }, () => versions(operator.token)));
  expect(later.map(({ http }) => http)).toEqual(Array(10).fill(401));
});
