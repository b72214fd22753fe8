import { type ClientInfo, instantMs, type NextPage, pageHeaders, type PageQuery } from '#ocpi';

/** A party at its place in the list of all, which it keeps. */
export interface ListedClient {
  readonly position: bigint;
  readonly info: ClientInfo;
}

/** One page of a hub's parties, in the order of their positions: it begins behind the one before, whoever left the list meanwhile. TRN-54. */
export function clientPage(all: readonly ListedClient[], page: PageQuery, { url, maxLimit }: { url: string; maxLimit: number }) {
  const from = page.dateFrom === undefined ? -Infinity : instantMs(page.dateFrom)!;
  const to = page.dateTo === undefined ? Infinity : instantMs(page.dateTo)!;
  const wanted = all.filter(({ info }) => {
    const at = instantMs(info.last_updated)!;
    return at >= from && at < to;
  });
  const after = page.after && page.after.offset <= page.offset ? page.after : { position: 0n, offset: 0 };
  const rest = wanted.filter(({ position }) => position > after.position).slice(page.offset - after.offset);
  const shown = rest.slice(0, page.limit);
  const next: NextPage = rest.length > shown.length ? { offset: page.offset + shown.length, position: shown.at(-1)!.position } : 'none';
  return { data: shown.map(({ info }) => info), headers: pageHeaders(url, page, wanted.length, maxLimit, next) };
}
