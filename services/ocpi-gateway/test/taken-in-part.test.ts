import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { evseStatusChanged } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import { type Evse, exampleLocation, type Location } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { openSide, type Side } from './side.ts';

let oasis: Side;
let partner: HandPartner;
/** Statuses as the partner has them. */
const has = new Map<string, string>();

beforeAll(async () => {
  oasis = await openSide({});
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations']);
  await partner.register(oasis);
});
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});

const [evse] = exampleLocation.evses!;
/** Each EVSE with its status and the second since when that is so. */
const tell = (id: string, statuses: Record<string, readonly ['CHARGING' | 'AVAILABLE', number]>) => {
  const at = (second: number) => `2022-02-01T17:00:${String(second).padStart(2, '0')}Z`;
  const evses = Object.entries(statuses).map(([uid, [status, second]]): Evse => ({ ...evse!, uid, status, last_updated: at(second) }));
  const lastUpdated = at(Math.max(...Object.values(statuses).map(([, second]) => second)));
  const location: Location = { ...exampleLocation, id, evses, last_updated: lastUpdated };
  return oasis.neighbours.tell(told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: id, evseUid: 'E1', status: statuses.E1![0], lastUpdated,
    locationJson: toJsonBytes(location),
  }));
};
const take = () => {
  const { what, body } = partner.seen.at(-1)!;
  const { evses, status } = body as Partial<Location & Evse>;
  for (const one of evses ?? []) has.set(one.uid, one.status);
  if (status) has.set(what.split('/').at(-1)!, status);
};

test.each([
  ['503 was answered to the rest', 'L-1', { http: 503, status: 3000 }],
  ['it asked to be left alone', 'L-2', { http: 429, status: 2000 }],
] as const)('LOC-02 TRN-61 a Location of which a part was taken when %s is told as a whole, though that part is as it was by then', async (_, id, fault) => {
  let isDown = false;
  partner.answer = (what) => {
    isDown ||= what.startsWith('PATCH') && what.endsWith('/E2');
    if (isDown) return fault;
    take();
    return {};
  };
  partner.seen.length = 0;
  await tell(id, { E1: ['AVAILABLE', 1], E2: ['AVAILABLE', 1] });
  await expect.poll(() => [...has.values()]).toEqual(['AVAILABLE', 'AVAILABLE']);
  await tell(id, { E1: ['CHARGING', 2], E2: ['CHARGING', 2] });
  await expect.poll(() => isDown).toBe(true);
  expect(has.get('E1')).toBe('CHARGING');
  await tell(id, { E1: ['AVAILABLE', 3], E2: ['CHARGING', 2] });
  await expect.poll(() => partner.pushed('P').length).toBeGreaterThan(4);
  partner.answer = () => {
    take();
    return {};
  };
  await expect.poll(() => has.get('E2')).toBe('CHARGING');
  await expect.poll(() => has.get('E1')).toBe('AVAILABLE');
  has.clear();
});

test('LOC-02 TRN-61 a Location that was taken though 504 was answered is told as a whole, though it is as it was before by then', async () => {
  let isDown = false;
  partner.answer = (what) => {
    isDown ||= what.startsWith('PATCH');
    take();
    return isDown ? { http: 504, status: 3000 } : {};
  };
  await tell('L-3', { E1: ['AVAILABLE', 1] });
  await expect.poll(() => has.get('E1')).toBe('AVAILABLE');
  await tell('L-3', { E1: ['CHARGING', 2] });
  await expect.poll(() => has.get('E1')).toBe('CHARGING');
  await tell('L-3', { E1: ['AVAILABLE', 3] });
  partner.answer = () => {
    take();
    return {};
  };
  await expect.poll(() => has.get('E1')).toBe('AVAILABLE');
});
