import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { type Cdr, exampleCdr, exampleLocation } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { ocpi, openSide, type Side } from './side.ts';

// Gateways as processes of their own on one database, one of which is killed in the middle of a push.

/** As it is built: the tests build first. */
const MAIN = new URL('../../../dist/services/ocpi-gateway/src/main.js', import.meta.url).pathname;
const LOCATIONS = 20;
const CHANGES = 15;

let oasis: Side;
let partner: HandPartner;
let children: ChildProcess[];

beforeAll(async () => {
  children = [];
  // Longer than one sleeps here.
  oasis = await openSide({ ocpi: { ...ocpi, request_timeout_ms: 60_000 } });
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations', 'RECEIVER cdrs']);
  await partner.register(oasis);
});
beforeEach(() => {
  partner.answer = () => ({});
  partner.seen.length = 0;
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await partner?.close();
  await oasis?.close();
});

async function gateway(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...oasis.platform.env, OCPI_PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of child.stdout!) if (String(line).includes('"ready"')) break;
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const waiting = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!.waiting;
const idle = () => expect.poll(waiting).toBe(0);
const at = (second: number) => `2022-02-01T17:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}Z`;
const statusOf = (locationId: string, second: number) => {
  const status = second % 2 === 0 ? 'AVAILABLE' : 'CHARGING';
  const evses = exampleLocation.evses!.map((evse, n) => (n === 0 ? { ...evse, status, last_updated: at(second) } as const : evse));
  return told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId, evseUid: evses[0]!.uid, status, lastUpdated: at(second),
    locationJson: toJsonBytes({ ...exampleLocation, id: locationId, evses, last_updated: at(second) }),
  });
};
const issued = (id: string) => {
  const cdr: Cdr = { ...exampleCdr, id, session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } };
  return told(cdrIssued, {
    cdrId: id, sessionId: 'S-none', credit: false, tokenParty: { countryCode: 'CA', partyId: 'MTL' }, cdrJson: toJsonBytes(cdr),
  });
};
const timesOf = (locationId: string) => partner.seen.filter(({ what }) => what.includes(`/${locationId}`))
  .map(({ body }) => (body as { last_updated: string }).last_updated);

test('CDR-01, SES-03: one that is killed in the middle of a push: the CDR that was taken is not sent again, the Location goes as it is by then', async () => {
  const killed = await gateway();
  await oasis.gateway.stop();
  await oasis.neighbours.tell(statusOf('L', 0));
  await expect.poll(() => partner.pushed()).toEqual(['PUT /locations/CA/BCT/L']);
  await idle();
  const kept: unknown[] = [];
  partner.answer = (what) => {
    if (what === 'POST /cdrs') kept.push(partner.seen.at(-1)!.body);
    return what.startsWith('GET ') ? { data: kept } : 'never';
  };
  await oasis.neighbours.tell(statusOf('L', 1), issued('C-1'));
  const [evse] = exampleLocation.evses!;
  await expect
    .poll(() => partner.pushed().slice(1).toSorted())
    .toEqual([`PATCH /locations/CA/BCT/L/${evse!.uid}`, 'POST /cdrs']);
  await kill(killed);
  partner.answer = (what) => (what.startsWith('GET ') ? { data: kept } : {});
  partner.seen.length = 0;
  await oasis.restart();
  await oasis.neighbours.tell(statusOf('L', 2));
  await expect.poll(() => timesOf('L').at(-1)).toBe(at(2));
  await idle();
  expect(partner.pushed('POST ')).toEqual([]);
  expect(partner.pushed('GET /cdrs').length).toBeGreaterThan(0);
  expect(
    partner.pushed().find((what) => what.includes('/L')),
    'nobody knows what became of the PATCH',
  ).toBe('PUT /locations/CA/BCT/L');
});

test('TRN-91: two at work, and one killed among changes: each object in its order, none lost, none twice but what was under way', async () => {
  const killed = await gateway();
  const ids = Array.from({ length: LOCATIONS }, (_, n) => `TWO-${n}.`);
  for (let second = 0; second < CHANGES; second += 1) {
    await oasis.neighbours.tell(...ids.map((id) => statusOf(id, second)), issued(`T-${second}`));
    if (second === 5) await expect.poll(() => partner.pushed().length).toBeGreaterThan(LOCATIONS);
    if (second === 8) await kill(killed);
  }
  await expect.poll(() => ids.filter((id) => timesOf(id).at(-1) === at(CHANGES - 1)).length).toBe(LOCATIONS);
  const cdrs = () => partner.seen.filter(({ what }) => what === 'POST /cdrs').map(({ body }) => (body as Cdr).id);
  // Who hears of CDRs may get the part of the killed one later than who hears of Locations.
  await expect.poll(() => new Set(cdrs()).size).toBe(CHANGES);
  await idle();
  for (const id of ids) expect(timesOf(id), id).toEqual(timesOf(id).toSorted());
  const again =
    ids.flatMap(timesOf).length - new Set(ids.flatMap((id) => timesOf(id).map((time) => `${id} ${time}`))).size;
  expect(again, 'a batch that was under way').toBeLessThanOrEqual(64);
  expect([...new Set(cdrs())]).toEqual(Array.from({ length: CHANGES }, (_, n) => `T-${n}`));
  expect(cdrs().length).toBeLessThanOrEqual(CHANGES + 1);
});

test('TRN-91: one that sleeps in the middle of a batch sends nothing of it any more when it wakes after another took over', async () => {
  const sleeper = await gateway();
  await oasis.gateway.stop();
  await idle();
  partner.seen.length = 0;
  const ids = Array.from({ length: LOCATIONS }, (_, n) => `SLEPT-${n}.`);
  partner.answer = () => 'never';
  await oasis.neighbours.tell(statusOf('FIRST', 1));
  await expect.poll(() => partner.pushed()).toHaveLength(1);
  await oasis.neighbours.tell(...ids.map((id) => statusOf(id, 1)));
  await expect.poll(waiting).toBe(LOCATIONS + 1);
  // Asleep with the first answers unread, and most of its batch unsent.
  partner.answer = (what) => {
    if (what.includes('/SLEPT-')) sleeper.kill('SIGSTOP');
    return {};
  };
  partner.hangUp();
  await expect.poll(() => ids.flatMap(timesOf).length).toBeGreaterThan(0);
  partner.answer = () => ({});
  await oasis.restart();
  await oasis.neighbours.tell(...ids.map((id) => statusOf(id, 2)));
  await expect.poll(() => ids.filter((id) => timesOf(id).at(-1) === at(2)).length).toBe(LOCATIONS);
  await idle();
  const before = partner.seen.length;
  sleeper.kill('SIGCONT');
  await oasis.neighbours.tell(statusOf('AWAKE', 3));
  await expect.poll(() => timesOf('AWAKE')).toEqual([at(3)]);
  await sleep(1_000);
  const late = partner.seen.slice(before).map(({ what }) => what).filter((what) => what !== 'PUT /locations/CA/BCT/AWAKE');
  expect(late.length, `it may have been stopped between its last look at its hold and the write: ${late.join()}`).toBeLessThanOrEqual(1);
  await kill(sleeper);
});
