import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { evseStatusChanged } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { exampleLocation } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { ocpi, openSide, type Side } from './side.ts';

const DEAD = 64;
const STATUSES = ['CHARGING', 'AVAILABLE', 'BLOCKED'] as const;
let oasis: Side;
let dead: HandPartner[];
let alive: HandPartner;

beforeAll(async () => {
  // None of the dead is given up while the test runs.
  oasis = await openSide({ ocpi: { ...ocpi, request_timeout_ms: 120_000 } });
  dead = await Promise.all(Array.from({ length: DEAD }, (_, n) =>
    HandPartner.open(`Dead ${n}`, `D${String(n).padStart(2, '0')}`, 'EMSP', ['RECEIVER locations'])));
  alive = await HandPartner.open('Alive', 'ALV', 'EMSP', ['RECEIVER locations']);
  for (const one of dead) one.answer = () => 'never';
});
afterAll(async () => {
  await Promise.all([...dead, alive].map((one) => one?.close()));
  await oasis?.close();
});

const sentToDead = () => dead.flatMap((one) => one.pushed());
const at = (second: number) => `2022-02-01T17:00:${String(second).padStart(2, '0')}Z`;
const status = (second: number) => {
  const evses = exampleLocation.evses!.map((evse, n) =>
    n === 0 ? { ...evse, status: STATUSES[second % 3]!, last_updated: at(second) } : evse,
  );
  return told(evseStatusChanged, {
    own: true,
    party: { countryCode: 'CA', partyId: 'BCT' },
    locationId: 'L',
    evseUid: evses[0]!.uid,
    status: STATUSES[second % 3]!,
    lastUpdated: at(second),
    locationJson: toJsonBytes({ ...exampleLocation, id: 'L', evses, last_updated: at(second) }),
  });
};

test('64 partners that never answer delay nothing for the next one', async () => {
  for (const one of dead) await one.register(oasis);
  await alive.register(oasis);
  await oasis.neighbours.tell(status(0));
  await expect.poll(sentToDead).toHaveLength(DEAD);
  await expect.poll(() => alive.pushed()).toEqual(['PUT /locations/CA/BCT/L']);
  for (let second = 1; second <= 20; second += 1) {
    await oasis.neighbours.tell(status(second));
    await expect.poll(() => (alive.seen.at(-1)?.body as { last_updated?: string } | undefined)?.last_updated).toBe(at(second));
  }
  expect(alive.pushed().filter((what) => what.startsWith('PATCH '))).toHaveLength(20);
  expect(sentToDead(), 'none of them was let go meanwhile').toHaveLength(DEAD);
  const { partners } = await oasis.neighbours.bus.ask(listPartners, {});
  expect(partners.filter(({ name, waiting }) => name !== 'Alive' && waiting === 1)).toHaveLength(DEAD);
});
