import { told } from '#bus';
import { invitePartner } from '#contracts/ocpi-gateway';
import { stationConnected } from '#contracts/ocpp-gateway';
import type { Cdr, Evse, Session } from '#ocpi';
import { clockFromEnv } from '#time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start as startOcpiGateway } from '../../ocpi-gateway/src/start.ts';
import { RawPartner } from './raw-partner.ts';
import { accepted, aCharge, began, card, clock, openWorld, plunk, reads, settings, stops, turns, type World } from './sessions-world.ts';

// When the owner of a token hears what of its charge, from what the station tells to the request that arrives over HTTP.

/** The platform's clock nearly stands: what waited for a minute of it would not come while the test lasts. */
const SLOWER = 100;

const [place] = settings.locations;
const { connectors: [level2], ...evse } = place!.evses[0]!;
/** Up to 0.05 kWh at one price, then at another. */
const stepped = {
  id: 'STEPPED', currency: 'CAD',
  elements: [
    { price_components: [{ type: 'ENERGY', price: 0.2, step_size: 1 }], restrictions: { max_kwh: 0.05 } },
    { price_components: [{ type: 'ENERGY', price: 0.4, step_size: 1 }] },
  ],
};
const evseOf = (uid: string, more: object) =>
  ({ ...evse, uid, evse_id: `CA*BCT*E${uid.replace('-', '')}`, station: `OASIS-${uid}`, connectors: [{ ...level2, tariff_ids: ['L2'], ...more }] });

let world: World;
let gateway: Awaited<ReturnType<typeof startOcpiGateway>>;
let partner: RawPartner;

beforeAll(async () => {
  world = await openWorld({ update_every_s: undefined }, {
    rate: 1 / SLOWER,
    others: {
      ocpi: { allow_private_urls: true, pull: { first_s: 86_400, splay_s: 0 } },
      tariffs: [...settings.tariffs, stepped],
      locations: [{
        ...place,
        evses: [
          evseOf('AC-1', {}), evseOf('AC-2', { tariff_ids: ['STEPPED'] }),
          evseOf('DC-1', { standard: 'IEC_62196_T1_COMBO', power_type: 'DC', max_voltage: 400, max_amperage: 125 }),
        ],
      }],
    },
  });
  gateway = await startOcpiGateway(world.env);
  partner = await RawPartner.open('EMSP', 'CPK');
  const { tokenA } = await world.bus.ask(invitePartner, { name: 'Carbon Plunk', parties: [{ party: plunk, roles: [] }] });
  await partner.register({ versions_url: gateway.urls!.ocpi!, token_a: tokenA });
});
afterAll(async () => {
  await partner?.close();
  await gateway?.stop();
  await world?.close();
});

type Part = Partial<Session>;
/** What the partner was told of a Session, after it came to have it. */
const saidOf = ({ id }: Session) => partner.incoming
  .filter(({ path, method }) => method !== 'GET' && path === `/receiver/sessions/CA/BCT/${id}`)
  .map(({ method, body }) => ({ method, ...body as Part }));
const after = (seconds: number) => clock(new Date(Date.UTC(2022, 1, 1, 17, 0, seconds)).toISOString().slice(11, 19));
const time = (seconds: number) => after(seconds).slice(11, 19);

test.each([
  ['DC', 60, 20],
  ['AC', 300, 60],
])('SES-01 SES-03 SES-12 of a %s charge the partner has a PUT at its start, and a PATCH with one more period every %i s', async (kind, everyS, readS) => {
  const charge = aCharge(`OASIS-${kind}-1`);
  await world.say(began(charge, accepted(card(`PACE-${kind}`))));
  const session = await world.sessionBegun(`PACE-${kind}`);
  await expect.poll(() => saidOf(session)).toMatchObject([{ method: 'PUT', status: 'ACTIVE', start_date_time: after(0), kwh: 0 }]);
  for (let n = 1; n <= 4; n++) {
    for (let s = (n - 1) * everyS + readS; s <= n * everyS; s += readS) await world.say(reads(charge, time(s), String(1_000 + s)));
    await expect.poll(() => saidOf(session).length).toBe(1 + n);
  }
  expect(saidOf(session).slice(1).map(({ method, kwh, charging_periods }) =>
    [method, kwh, charging_periods?.map(({ start_date_time: at }) => at)])).toEqual(
    [1, 2, 3, 4].map((n) => ['PATCH', n * everyS / 1_000, [after((n - 1) * everyS)]]),
  );
  await world.say(stops(charge, time(5 * everyS), String(1_000 + 5 * everyS)));
  await expect.poll(() => saidOf(session).at(-1)).toMatchObject({ method: 'PATCH', status: 'COMPLETED' });
});

test('SES-12 a price that changes is told with the reading that shows it, whatever was told last', async () => {
  const charge = aCharge('OASIS-AC-2');
  await world.say(began(charge, accepted(card('STEP'))));
  const session = await world.sessionBegun('STEP');
  await expect.poll(() => saidOf(session).length).toBe(1);
  await world.say(reads(charge, time(20), '1030'), reads(charge, time(40), '1060'));
  await expect.poll(() => saidOf(session)).toMatchObject([{ method: 'PUT' }, { method: 'PATCH', kwh: 0.06 }]);
  await world.say(stops(charge, time(60), '1090'));
  await expect.poll(() => saidOf(session).at(-1)).toMatchObject({ status: 'COMPLETED' });
});

test('LOC-02 the status of an EVSE is at the partner within 2 s, by the platform\'s clock, as a PATCH of the EVSE', async () => {
  const { now } = clockFromEnv(world.env);
  const url = '/receiver/locations/CA/BCT/BURNABY';
  await expect.poll(() => partner.incoming.filter(({ path }) => path === url).length).toBeGreaterThan(0);
  const statuses = () => partner.incoming.filter(({ path }) => path === `${url}/AC-1`).map(({ method, body }) => [method, (body as Evse).status]);
  const car = { stationId: 'OASIS-AC-1' };
  await world.say(told(stationConnected, { ...car, at: after(0), epoch: 1, ocppVersion: 'ocpp1.6' }), turns(car, time(0), 'Available'));
  await expect.poll(() => statuses().at(-1)).toEqual(['PATCH', 'AVAILABLE']);
  const [before, changedMs] = [statuses().length, now()];
  await world.say(turns(car, time(60), 'Preparing'));
  await expect.poll(() => statuses().slice(before)).toEqual([['PATCH', 'BLOCKED']]);
  expect(now() - changedMs).toBeLessThanOrEqual(2_000);
});

test('CDR-01 SES-01 the CDR is at the partner within 60 s of the end of its Session, by the platform\'s clock, and after COMPLETED', async () => {
  const { now } = clockFromEnv(world.env);
  const charge = aCharge('OASIS-AC-1');
  await world.say(began(charge, accepted(card('BILLED'))), reads(charge, time(60), '1100'));
  const session = await world.sessionBegun('BILLED');
  const stoppedMs = now();
  await world.say(stops(charge, time(90), '1150'));
  const bills = () => partner.received('cdrs').filter(({ body }) => (body as Cdr).session_id === session.id);
  await expect.poll(() => bills().length, { timeout: 30_000 }).toBe(1);
  expect(now() - stoppedMs).toBeLessThanOrEqual(60_000);
  expect(bills()[0]).toMatchObject({ method: 'POST', body: { total_energy: 0.15, end_date_time: after(90) } });
  const completed = partner.incoming.findIndex(({ path, body }) => path.endsWith(session.id) && (body as Part)?.status === 'COMPLETED');
  expect(completed).toBeGreaterThanOrEqual(0);
  expect(partner.incoming.indexOf(bills()[0]!)).toBeGreaterThan(completed);
});
