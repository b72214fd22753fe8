import { type Cdr, headerText } from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeRefused, judgeTaken, sameJson, stopAtUnknown } from '../judging.ts';
import { kitCdr, kitCredit } from '../objects.ts';

/** The Receiver interface of CDRs: one of a cent, and its credit. */
export const receivedCdrs: Check = {
  name: 'cdrs: POST and GET',
  of: ['cdrs', 'RECEIVER'],
  writes: 'one CDR of 0.01, KIT-…-CDR, and its Credit CDR. Neither can be deleted: together they come to nothing',
  rules: ['TRN-07', 'TRN-10', 'TRN-30', 'CDR-01', 'CDR-02', 'CDR-03', 'CDR-04', 'CDR-06', 'CDR-14', 'CDR-16', 'CDR-21'],
  run,
};

async function run(bench: Bench): Promise<void> {
  const url = bench.at('cdrs', 'RECEIVER');
  const post = (body: unknown) => bench.call('POST', url, { module: 'cdrs', body });
  const cdr = kitCdr(bench, 'CDR');
  await refusals(bench, post);
  const posted = await post(cdr);
  stopAtUnknown(posted, 'a CDR');
  if (!judgeTaken(bench, 'CDR-01', 'a CDR', posted)) return;
  const address = headerText(posted.headers, 'location');
  const isAbsolute = address !== undefined && URL.canParse(address);
  const isThere = isAbsolute && bench.isAtTheirs(address);
  if (bench.judge('CDR-01', isAbsolute, 'the absolute URL of the CDR in the header Location', posted)
    && bench.judge('CDR-01', isThere, 'a Location at a host that the platform lists: elsewhere the kit does not go with its token', posted)) {
    const held = await bench.call('GET', address!, { module: 'cdrs' });
    bench.judge('CDR-01', ok(held) && sameJson(held.data, cdr), 'the CDR as it was sent, at its URL', held);
    for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
      const changed = { ...cdr, total_cost: { excl_vat: 0 } };
      judgeNotOffered(
        bench,
        'CDR-02',
        `${method} of a CDR`,
        await bench.call(method, address!, { module: 'cdrs', ...(method === 'DELETE' ? {} : { body: changed }) }),
      );
    }
  }
  const again = await post(cdr);
  bench.judge(
    'CDR-21',
    ok(again) && [address, undefined].includes(headerText(again.headers, 'location')),
    'the same CDR again: HTTP 200, 1000, and no other Location',
    again,
  );
  judgeRefused(bench, 'CDR-02', 'another CDR under the same id', await post({ ...cdr, total_energy: 0.2 }), 2001);
  judgeTaken(bench, 'CDR-04', 'a Credit CDR', await post(kitCredit(bench, cdr)));
}

/** All of these have to be refused, so that nothing of them stays; a platform that takes one is told which. */
async function refusals(bench: Bench, post: (body: unknown) => Promise<Seen>): Promise<void> {
  const wrong = (more: object): Cdr => ({ ...kitCdr(bench, 'WRONG'), total_cost: { excl_vat: 0 }, ...more });
  const [period] = kitCdr(bench, 'WRONG').charging_periods;
  const { evse_id: _, ...noEvseId } = kitCdr(bench, 'WRONG').cdr_location;
  const withDimension = (type: string) => [{ ...period!, dimensions: [{ type, volume: 1 }] }];
  judgeRefused(bench, 'CDR-03', 'a CDR with an id of 37 characters', await post(wrong({ id: bench.id('WRONG').padEnd(37, 'X') })), 2001);
  judgeRefused(bench, 'CDR-04', 'a Credit CDR that credits nothing', await post(wrong({ credit: true })), 2001);
  judgeRefused(bench, 'CDR-06', 'a CDR without charging periods', await post(wrong({ charging_periods: [] })), 2001);
  judgeRefused(bench, 'CDR-14', 'a CDR whose place has no evse_id', await post(wrong({ cdr_location: noEvseId })), 2001);
  judgeRefused(
    bench,
    'CDR-16',
    'a CDR with a state of charge',
    await post(wrong({ charging_periods: withDimension('STATE_OF_CHARGE') })),
    2001,
  );
  judgeRefused(bench, 'CDR-16', 'a CDR with a dimension FLAT', await post(wrong({ charging_periods: withDimension('FLAT') })), 2001);
  judgeRefused(bench, 'TRN-07', 'a CDR of a party that is none of our roles', await post(wrong({ country_code: 'NL', party_id: 'ZZZ' })));
}
