import type { Tariff } from '#ocpi';
import { type Bench, ok } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeNotThere, judgeRefused, judgeTaken, sameJson } from '../judging.ts';
import { kitTariff } from '../objects.ts';
import { TARIFFS } from '../listener.ts';
import { joined } from './lists.ts';
import { pushing } from './pushed.ts';

/** The Receiver interface of Tariffs: the one object that can be deleted. */
export const receivedTariffs: Check = {
  name: 'tariffs: PUT, GET and DELETE',
  of: ['tariffs', 'RECEIVER'],
  writes: 'one Tariff, KIT-…-TARIFF, which it deletes',
  rules: ['TRN-07', 'TRN-10', 'TRN-30', 'TRN-60', 'TRN-71', 'TAR-01', 'TYP-04', 'TYP-08'],
  run,
};

async function run(bench: Bench): Promise<void> {
  const tariff = kitTariff(bench);
  const { call, foreignUrl } = pushing(bench, 'tariffs', tariff.id);
  const bounded = { ...tariff, min_price: { excl_vat: 0.5 } };
  if (!judgeTaken(bench, 'TAR-01', 'PUT of a new Tariff', await call('PUT', bounded))) return;
  const held = await call('GET');
  bench.judge('TAR-01', ok(held) && sameJson(held.data, bounded), 'the Tariff as it was PUT', held);
  judgeTaken(bench, 'TAR-01', 'PUT of a known Tariff', await call('PUT', { ...tariff, last_updated: bench.tick() }));
  const after = await call('GET');
  bench.judge(
    'TRN-60',
    ok(after) && ((after.data as Tariff | undefined)?.min_price ?? null) === null,
    'no min_price: PUT replaces, and it was left out',
    after,
  );
  const whole = () => ({ ...tariff, last_updated: bench.tick() });
  judgeRefused(bench, 'TAR-01', 'PUT of a Tariff without elements', await call('PUT', { ...whole(), elements: [] }), 2001);
  const element = (component: object) => [{ price_components: [{ type: 'ENERGY', price: 0.1, step_size: 1, ...component }] }];
  judgeRefused(
    bench,
    'TYP-04',
    'PUT of a Tariff with a price as text',
    await call('PUT', { ...whole(), elements: element({ price: '0.1' }) }),
    2001,
  );
  judgeRefused(
    bench,
    'TYP-08',
    'PUT of a Tariff with an unknown dimension',
    await call('PUT', { ...whole(), elements: element({ type: 'energy' }) }),
    2001,
  );
  judgeRefused(bench, 'TRN-71', 'PUT of a Tariff under the id of another', await call('PUT', { ...whole(), id: bench.id('OTHER') }), 2001);
  const foreign = await call('PUT', { ...whole(), country_code: 'NL', party_id: 'ZZZ' }, foreignUrl);
  bench.judge('TRN-07', !ok(foreign), 'a Tariff of a party that is none of our roles is refused', foreign);
  judgeNotOffered(bench, 'TRN-10', 'PATCH of a Tariff', await call('PATCH', { currency: 'EUR', last_updated: bench.tick() }));
  judgeTaken(bench, 'TAR-01', 'DELETE of a Tariff', await call('DELETE'));
  judgeNotThere(bench, 'TAR-01', 'GET of a Tariff that was deleted', await call('GET'));
}

/** Our own list is read by whoever is to have our Tariffs: one of its objects is no Tariff. */
export const listedTariffs: Check = {
  name: 'tariffs: a list that holds what is none',
  of: ['tariffs', 'RECEIVER'],
  writes: 'one Tariff, KIT-…-LISTED, where the platform reads the list of the kit; it is deleted',
  rules: ['TRN-55'],
  unless: ({ listener }) => listener.seen.some(({ path }) => path === TARIFFS) ? undefined
    : 'the platform did not read the list of Tariffs that the kit has, while the kit was its partner',
  run: async (bench) => {
    const { country_code, party_id } = bench.party;
    const url = joined(bench.at('tariffs', 'RECEIVER'), country_code, party_id, bench.id(LISTED));
    const read = () => bench.call('GET', url, { module: 'tariffs' });
    let seen = await read();
    for (let n = 0; n < 5 && !ok(seen); n += 1) {
      await bench.listener.until(() => false, bench.options.patienceMs);
      seen = await read();
    }
    bench.judge('TRN-55', ok(seen), 'a Tariff that stands on a page beside an object that is none', seen);
    bench.listener.tariffs = [];
    await bench.call('DELETE', url, { module: 'tariffs' });
  },
};

const LISTED = 'LISTED';

/** What our list holds: first what is no Tariff. */
export function listed(bench: Bench): object[] {
  const { elements: _, ...none } = kitTariff(bench, 'NONE');
  return [{ ...none, currency: 7 }, kitTariff(bench, LISTED)];
}
