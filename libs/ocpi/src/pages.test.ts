import { expect, test } from 'vitest';
import { nextLink, pageHeaders, readPage } from './pages.ts';

const rules = { maxLimit: 100 };
const list = 'https://oasis.example/ocpi/2.2.1/locations';
const from = '2022-02-01T00:00:00Z';

test('TRN-50 nothing asked for is the first page', () => {
  expect(readPage({}, rules)).toEqual({ ok: true, page: { offset: 0, limit: 100 } });
});

test('TRN-50 TRN-53 filters and offset are taken, a limit is capped', () => {
  expect(readPage({ date_from: from, date_to: '2022-03-01T00:00:00', offset: '200', limit: '5000' }, rules)).toEqual({
    ok: true, page: { dateFrom: from, dateTo: '2022-03-01T00:00:00', offset: 200, limit: 100 },
  });
});

test('TRN-56 an offset behind the end of every list is taken, and held to what 32 bits carry', () => {
  expect(readPage({ offset: '999999999999999' }, rules)).toMatchObject({ ok: true, page: { offset: 2_147_483_647 } });
});

test('TRN-50 date_from is required for Sessions', () => {
  expect(readPage({}, { maxLimit: 100, dateFromRequired: true })).toMatchObject({
    ok: false, message: expect.stringMatching(/^date_from is missing/),
  });
  expect(readPage({ date_from: from }, { maxLimit: 100, dateFromRequired: true }).ok).toBe(true);
});

test.each([
  [{ offset: '-1' }, 'offset'], [{ offset: '1.5' }, 'offset'], [{ limit: 'all' }, 'limit'], [{ limit: '0' }, 'limit'],
  [{ date_from: 'yesterday' }, 'date_from'], [{ date_to: '2022-02-01' }, 'date_to'], [{ offset: ['1', '2'] }, 'offset'],
])('TRN-56 D25 %j is refused by name', (query, name) => {
  const reading = readPage(query as never, rules);
  expect(reading.ok ? '' : reading.message).toMatch(new RegExp(`^${name} `));
});

test('a refusal names the version that who asks speaks', () => {
  expect(readPage({ limit: '0' }, rules)).toEqual({ ok: false, message: 'limit must be a whole number of at least 1 (OCPI 2.2.1)' });
  expect(readPage({ limit: '0' }, { ...rules, version: '2.1.1' })).toEqual({
    ok: false,
    message: 'limit must be a whole number of at least 1 (OCPI 2.1.1)',
  });
});

test('TRN-52 a page says the total, the server\'s limit, and the next page with all filters', () => {
  const page = { dateFrom: from, dateTo: '2022-03-01T00:00:00Z', offset: 100, limit: 50 };
  expect(pageHeaders(list, page, 151, 100)).toEqual({
    'X-Total-Count': '151',
    'X-Limit': '100',
    Link: `<${list}?date_from=2022-02-01T00%3A00%3A00Z&date_to=2022-03-01T00%3A00%3A00Z&offset=150&limit=50>; rel="next"`,
  });
});

test('TRN-53 TRN-56 the last page, and one behind it, has no Link', () => {
  for (const offset of [100, 900]) {
    expect(pageHeaders(list, { offset, limit: 50 }, 150, 100)).toEqual({ 'X-Total-Count': '150', 'X-Limit': '100' });
  }
});

test('TRN-52 TRN-54 a Link may say where the page ended, and the next page is read behind that', () => {
  const headers = pageHeaders(list, { offset: 100, limit: 50 }, 151, 100, { offset: 150, position: 812n });
  expect(headers.Link).toBe(`<${list}?offset=150&limit=50&after=812.150>; rel="next"`);
  const query = Object.fromEntries(new URL(nextLink(headers.Link)!).searchParams);
  expect(readPage(query, rules)).toEqual({ ok: true, page: { offset: 150, limit: 50, after: { position: 812n, offset: 150 } } });
  expect(pageHeaders(list, { offset: 100, limit: 50 }, 151, 100, 'none')).not.toHaveProperty('Link');
});

test.each(['', '812', '812.-1', 'yesterday', '9999999999999999999.1'])(
  'TRN-50 after=%s is no end of a page: the offset alone counts',
  (after) => {
    expect(readPage({ offset: '5', after }, rules)).toEqual({ ok: true, page: { offset: 5, limit: 100 } });
  },
);

test.each([
  ['<https://a.example/x?offset=1>; rel="next"', 'https://a.example/x?offset=1'],
  ['<https://a.example/1>; rel="prev", <https://a.example/2>;rel=next', 'https://a.example/2'],
  ['<https://a.example/1>; rel="last"', undefined],
  ['nonsense', undefined],
  [undefined, undefined],
  [['<https://a.example/1>; rel="first"', '<https://a.example/2>; rel="next"'], 'https://a.example/2'],
])('the next page of %j is %j', (header, next) => {
  expect(nextLink(header)).toBe(next);
});
