import { expect, onTestFinished, test, vi } from 'vitest';
import { envelope, type Outcome, type Page, pageHeaders, pulled, readPage } from '../src/index.ts';
import { type Answering, at, client, partner, say, startPartner, success } from './partner.ts';

startPartner();

/** A list of numbers in pages of three, as a good partner has it. */
function listing(numbers: () => readonly number[], afterPage = () => {}): Answering {
  return (request, response) => {
    const reading = readPage(Object.fromEntries(new URL(request.url!, partner.url).searchParams), { maxLimit: 3 });
    if (!reading.ok) return say(response, 200, envelope(undefined, 2001, reading.message, at));
    const { offset, limit } = reading.page;
    const all = numbers();
    const headers = pageHeaders(`${partner.url}/list`, reading.page, all.length, 3);
    success(response, all.slice(offset, offset + limit), headers);
    afterPage();
  };
}

async function pull(path: string): Promise<{ objects: unknown[]; end: Page }> {
  const objects: unknown[] = [];
  let end: Page | undefined;
  for await (const page of client().getAll(`${partner.url}${path}`)) {
    if (page.kind === 'page') objects.push(...page.objects);
    end = page;
  }
  return { objects, end: end! };
}

test('TRN-52 TRN-54 all pages of a list are read by following Link, filters kept', async () => {
  partner.answer = listing(() => [1, 2, 3, 4, 5, 6, 7]);
  const { objects, end } = await pull('/list?date_from=2022-02-01T00:00:00Z');
  expect(objects).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(end).toMatchObject({ kind: 'page', total: 7 });
  const filters = partner.received.map(({ url }) => new URL(url, partner.url).searchParams.get('date_from'));
  expect(filters).toEqual(Array(3).fill('2022-02-01T00:00:00Z'));
});

test('TRN-52 the Link to the next page is followed in whichever of several Link headers it stands', async () => {
  partner.answer = (request, response) => {
    const isSecond = request.url!.includes('offset=3');
    const first = `<${partner.url}/list>; rel="first"`;
    const Link = isSecond ? [first] : [first, `<${partner.url}/list?offset=3>; rel="next"`];
    success(response, isSecond ? [4, 5] : [1, 2, 3], { 'X-Total-Count': '5', Link } as never);
  };
  expect((await pull('/list')).objects).toEqual([1, 2, 3, 4, 5]);
});

test('TRN-54 when objects leave the list between pages none is skipped', async () => {
  let numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  partner.answer = listing(() => numbers, () => {
    if (partner.received.length === 1) numbers = numbers.filter((number) => number > 2);
  });
  const { objects } = await pull('/list');
  expect(new Set(objects)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

test('TRN-54 when as many objects as a page holds leave the list between pages, the list is read to its end all the same', async () => {
  let numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  partner.answer = listing(() => numbers, () => {
    if (partner.received.length === 1) numbers = numbers.filter((number) => number > 3);
  });
  const { objects, end } = await pull('/list');
  expect(new Set(objects)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(end).toMatchObject({ kind: 'page', unlinked: 0 });
});

test('TRN-52 a list whose X-Total-Count is what is left from a page on is read to its end', async () => {
  partner.answer = (request, response) => {
    const offset = Number(new URL(request.url!, partner.url).searchParams.get('offset') ?? 0);
    const left = [1, 2, 3, 4, 5, 6, 7].slice(offset);
    const Link = `<${partner.url}/list?offset=${offset + 2}>; rel="next"`;
    success(response, left.slice(0, 2), { 'X-Total-Count': String(left.length), ...(left.length > 2 ? { Link } : {}) });
  };
  const { objects, end } = await pull('/list');
  expect([new Set(objects), end]).toEqual([new Set([1, 2, 3, 4, 5, 6, 7]), expect.objectContaining({ kind: 'page', unlinked: 0 })]);
});

test('TRN-54 objects that join the list between pages are read too', async () => {
  const numbers = [1, 2, 3, 4];
  partner.answer = listing(() => numbers, () => { if (partner.received.length === 1) numbers.push(5); });
  expect((await pull('/list')).objects).toEqual([1, 2, 3, 4, 5]);
});

test('TRN-24 an empty list is one empty page', async () => {
  partner.answer = listing(() => []);
  expect(await pull('/list')).toMatchObject({ objects: [], end: { kind: 'page', total: 0 } });
});

test('a page that fails ends the list with its reason', async () => {
  partner.answer = listing(() => []);
  const refused = { kind: 'refused', statusCode: 2001, message: expect.stringMatching(/^limit must be/) };
  expect(await pull('/list?limit=x')).toMatchObject({ objects: [], end: refused });
  partner.answer = (_, response) => success(response, { id: 1 });
  expect((await pull('/list')).end).toMatchObject({ kind: 'refused', message: 'the data of the list is no list' });
});

test.each([
  ['to another place', 'http://169.254.169.254/latest', 'the next page is elsewhere: http://169.254.169.254/latest'],
  ['back to where we were', '/list', 'the Link leads back to a page read before'],
])('a Link %s is not followed', async (_, target, message) => {
  partner.answer = (_, response) => success(response, [1], { Link: `<${target}>; rel="next"` });
  expect(await pull('/list')).toMatchObject({ objects: [1], end: { kind: 'refused', message } });
  expect(partner.received).toHaveLength(1);
});

/** `pages` in turn, whatever the Link to a page is; no Link behind the last. */
const inTurn = (pages: readonly (readonly number[])[], linkTo: (page: number) => string): Answering => (_, response) => {
  const page = partner.received.length - 1;
  const more = page + 1 < pages.length;
  success(response, pages[page] ?? [], {
    'X-Total-Count': '7', ...(more ? { Link: `<${partner.url}/list?${linkTo(page + 1)}>; rel="next"` } : {}),
  });
};

test('TRN-57 a list whose Links name no offset is whole when as many objects were read as it counts', async () => {
  partner.answer = inTurn([[1, 2, 3], [4, 5, 6], [7]], (page) => `cursor=${'abc'[page]}`);
  expect(await pull('/list')).toMatchObject({ objects: [1, 2, 3, 4, 5, 6, 7], end: { kind: 'page', total: 7, unlinked: 0 } });
});

test('TRN-57 a list whose Links pass over some of it is not whole: what was not on its pages may be there', async () => {
  partner.answer = inTurn([[1, 2], [4, 5], [7]], (page) => `offset=${page * 3}`);
  expect(await pull('/list')).toMatchObject({ objects: [1, 2, 4, 5, 7], end: { kind: 'page', unlinked: 2 } });
});

test('a list that gives the same page for ever ends with its reason', async () => {
  partner.answer = (_, response) =>
    success(response, [1, 2], { Link: `<${partner.url}/list?offset=${partner.received.length * 2}>; rel="next"` });
  expect((await pull('/list')).end).toMatchObject({ kind: 'refused', message: expect.stringMatching(/^101 pages of the list bring nothing new/) });
});

test('TRN-54 a list that counts less with each request, whatever is asked for, ends with its reason', async () => {
  partner.answer = (_, response) => {
    const total = String(1_000 - partner.received.length);
    return partner.received.length > 300
      ? success(response, [1], { 'X-Total-Count': total })
      : success(response, [1], { 'X-Total-Count': total, Link: `<${partner.url}/list?offset=900>; rel="next"` });
  };
  expect((await pull('/list')).end).toMatchObject({ kind: 'refused', message: 'X-Total-Count became smaller 101 times, and no page was brought' });
});

test('while a page is taken in the one behind it is on its way, and no more than that', async () => {
  partner.answer = listing(() => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const asked: number[] = [];
  for await (const page of client().getAll(`${partner.url}/list`)) {
    if (page.kind !== 'page') throw new Error(JSON.stringify(page));
    await expect.poll(() => partner.received.length).toBe(Math.min(4, asked.length + 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    asked.push(partner.received.length);
  }
  expect(asked).toEqual([2, 3, 4, 4]);
});

/** Pages of one object; the first is there at once, of each other the body waits for `until`. */
const late = (until: (page: number) => Promise<unknown>, linkTo = (page: number) => `${partner.url}/list?offset=${page}`): Answering => async (_, response) => {
  const page = partner.received.length;
  response.writeHead(200, { 'Content-Type': 'application/json', ...(page < 4 ? { Link: `<${linkTo(page)}>; rel="next"` } : {}) });
  response.flushHeaders();
  if (page > 1) await until(page);
  response.end(JSON.stringify(envelope([page], 1000, undefined, at)));
};

/** What bodies take by the client's clock, whatever the machine does meanwhile. */
function clock(now: () => number): void {
  const spy = vi.spyOn(performance, 'now').mockImplementation(now);
  onTestFinished(() => spy.mockRestore());
}

test('the page behind is asked for as soon as the headers of one are there, while its body is on its way', async () => {
  clock(() => 0);
  partner.answer = late(async (page) => page < 4 && expect.poll(() => partner.received.length).toBe(page + 1));
  expect(await pull('/list')).toMatchObject({ objects: [1, 2, 3, 4], end: { kind: 'page' } });
});

test('a body that takes long has the line for itself: the page behind a slow one is asked for when it is there', async () => {
  const asked: number[] = [];
  let nowMs = 0;
  clock(() => partner.received.length < 2 ? nowMs : (nowMs += 600));
  partner.answer = late(async (page) => {
    if (page === 2) await expect.poll(() => partner.received.length).toBe(3);
    else await new Promise((resolve) => setTimeout(resolve, 100));
    asked.push(partner.received.length);
  });
  expect(await pull('/list')).toMatchObject({ objects: [1, 2, 3, 4], end: { kind: 'page' } });
  // The second was not known to be slow.
  expect(asked).toEqual([3, 3, 4]);
});

test.each([
  ['to another place', 'http://169.254.169.254/latest'],
  ['back to where we were', '/list'],
])('a Link %s is not followed before the body is there either', async (_, target) => {
  partner.answer = late(() => new Promise((resolve) => setTimeout(resolve, 50)), (page) => (page === 1 ? `${partner.url}/list?offset=1` : target));
  expect(await pull('/list')).toMatchObject({ objects: [1, 2], end: { kind: 'refused' } });
  expect(partner.received).toHaveLength(2);
});

test('a page that is refused leads nowhere, whatever its Link', async () => {
  partner.answer = (_, response) => {
    const page = partner.received.length;
    say(response, page === 1 ? 200 : 500, envelope([page], page === 1 ? 1000 : 3000, undefined, at), {
      Link: `<${partner.url}/list?offset=${page}>; rel="next"`,
    });
  };
  expect(await pull('/list')).toMatchObject({ objects: [1], end: { kind: 'refused', http: 500 } });
  expect(partner.received).toHaveLength(2);
});

test('who reads no further is not disturbed by a page that was on its way and failed', async () => {
  const link = '<http://partner.example/list?offset=3>; rel="next"';
  const first: Outcome = { kind: 'ok', http: 200, statusCode: 1000, data: [1, 2, 3], headers: { link }, timestamp: at };
  const get = (url: string) => url.endsWith('/list') ? Promise.resolve(first) : Promise.reject(new Error('the database is away'));
  for await (const page of pulled(get, 'http://partner.example/list')) {
    expect(page).toMatchObject({ objects: [1, 2, 3] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    break;
  }
  const all = pulled(get, 'http://partner.example/list');
  await all.next();
  await expect(all.next()).rejects.toThrow('the database is away');
});

/** Pages of two, without any header that tells of more. */
const silent = (numbers: readonly unknown[], headers: Record<string, string> = { 'X-Limit': '2' }): Answering => (request, response) => {
  const offset = Number(new URL(request.url!, partner.url).searchParams.get('offset') ?? 0);
  success(response, numbers.slice(offset, offset + 2), headers);
};
const untold = async () => {
  const pages: Page[] = [];
  for await (const page of client().getAll(`${partner.url}/list`)) pages.push(page);
  return pages.map((page) => (page.kind === 'page' ? [page.objects, page.untold] : page));
};

test.each<[string, readonly unknown[], Record<string, string> | undefined]>([
  ['as long as X-Limit says', [1, 2, 3, 4, 5], undefined],
  ['as long as X-Limit says, each of them', [1, 2, 3, 4], undefined],
  ['of a partner that says nothing of its pages', [1, 2, 3, 4, 5], {}],
])('TRN-52 behind a page with neither Link nor X-Total-Count, %s, the next is asked for by offset', async (_, numbers, headers) => {
  partner.answer = silent(numbers, headers);
  const pages = await untold();
  expect(pages).toEqual([[[1, 2], false], [[3, 4], true], ...(numbers.length > 4 ? [[[5], true]] : [])]);
});

test('TRN-52 a page shorter than X-Limit is the last, and one whose Links led so far is, too', async () => {
  partner.answer = silent([1, 2, 3, 4, 5], { 'X-Limit': '3' });
  expect(await untold()).toEqual([[[1, 2], false]]);
  partner.answer = (request, response) =>
    success(response, [request.url], request.url === '/list' ? { 'X-Limit': '1', Link: `<${partner.url}/list?b>; rel="next"` } : { 'X-Limit': '1' });
  expect(await untold()).toEqual([[['/list'], false], [['/list?b'], false]]);
});

test('TRN-56 a partner without pages, or one that refuses what is behind its end, has one whole list', async () => {
  partner.answer = (_, response) => success(response, [1, 2]);
  expect(await untold()).toEqual([[[1, 2], false]]);
  partner.answer = (request, response) => request.url === '/list'
    ? success(response, [1, 2], { 'X-Limit': '2' }) : say(response, 200, envelope(undefined, 2001, 'beyond the end', at));
  expect(await untold()).toEqual([[[1, 2], false]]);
  const failing = (http: number): Answering => (request, response) => request.url === '/list'
    ? success(response, [1, 2], { 'X-Limit': '2' }) : say(response, http, envelope(undefined, 3000, 'oh', at));
  for (const http of [500, 429, 401]) {
    partner.answer = failing(http);
    expect(await untold(), 'nothing is known of the rest').toEqual([[[1, 2], false], expect.objectContaining({ kind: 'refused', http })]);
  }
});

test('a list that goes round in a ring by ever new Links ends with its reason, also where its objects change meanwhile', async () => {
  const ring = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
  partner.answer = (_, response) => {
    const n = partner.received.length;
    success(response, [{ id: ring[n % 7], changed: n }, { id: 'X' }], { Link: `<${partner.url}/list?cursor=${n}>; rel="next"` });
  };
  expect((await pull('/list')).end).toMatchObject({ kind: 'refused', message: '101 pages of the list bring nothing new, and it has no end' });
  expect(partner.received.length).toBe(108);
});

test.each([
  ['pages', { pagesAtMost: 5 }, '2', 'the list has no end: 10 objects on 5 pages, and X-Total-Count 2', 10],
  ['objects', { objectsAtMost: 7 }, undefined, 'the list has no end: 8 objects on 4 pages, and X-Total-Count is not sent', 8],
  ['objects, but for what it counts', { objectsAtMost: 7, pagesAtMost: 5 }, '8', 'the list has no end: 16 objects on 8 pages, and X-Total-Count 8', 16],
])('a list that always has one page more, with ever new objects, ends after so many %s', async (_, options, total, message, read) => {
  let n = 0;
  const get = (): Promise<Outcome> => Promise.resolve({
    kind: 'ok', http: 200, statusCode: 1000, data: [++n, ++n], timestamp: at,
    headers: { link: `<http://partner.example/list?cursor=${n}>; rel="next"`, ...(total ? { 'x-total-count': total } : {}) },
  });
  const objects: unknown[] = [];
  let end: Page | undefined;
  for await (end of pulled(get, 'http://partner.example/list', options)) if (end.kind === 'page') objects.push(...end.objects);
  expect([objects.length, end]).toEqual([read, expect.objectContaining({ kind: 'refused', message })]);
});
