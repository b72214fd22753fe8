import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { toJsonBytes } from '#contracts';
import { cdrIssued } from '#contracts/cdr-ledger';
import { locationChanged } from '#contracts/locations';
import { type CdrDelivered, cdrDelivered, listPartners } from '#contracts/ocpi-gateway';
import { commandFinished } from '#contracts/sessions';
import { type Cdr, exampleCdr, exampleLocation, exampleToken } from '#ocpi';
import type { Running } from '#service';
import { start } from '../src/start.ts';
import { HandPartner } from './hand-partner.ts';
import { call, ocpi, openSide, origin, type Side } from './side.ts';

// One process hears and answers, another does what falls due.

let oasis: Side;
let partner: HandPartner;
let sending: Running | undefined;

beforeAll(async () => {
  oasis = await openSide({ ocpi });
  await oasis.gateway.stop();
  oasis.gateway = await start({ ...oasis.platform.env, OCPI_PROCESS: 'listening' });
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations', 'RECEIVER cdrs', 'SENDER tokens', 'SENDER commands']);
  await partner.register(oasis);
});
afterAll(async () => {
  await sending?.stop();
  await partner?.close();
  await oasis?.close();
});

const startSending = () => start({ ...oasis.platform.env, OCPI_PROCESS: 'sending', OCPI_PUBLIC_URL: origin(oasis) });
const waiting = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!.waiting;
const location = (id: string) => told(locationChanged, {
  own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: id, lastUpdated: exampleLocation.last_updated,
  locationJson: toJsonBytes({ ...exampleLocation, id }),
});
const cdr = (id: string) => told(cdrIssued, {
  cdrId: id, sessionId: 'S-none', credit: false, tokenParty: { countryCode: 'CA', partyId: 'MTL' },
  cdrJson: toJsonBytes({ ...exampleCdr, id, session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } } satisfies Cdr),
});

test('what one hears while none sends waits, is seen to wait, and is sent by the other', async () => {
  await oasis.neighbours.tell(location('L-1'), cdr('C-1'));
  await expect.poll(waiting).toBe(2);
  expect(await call(oasis, '/ocpi/2.2.1', { token: partner.token })).toMatchObject({ http: 200, status_code: 1000 });
  expect(partner.pushed()).toEqual([]);
  const delivered: CdrDelivered[] = [];
  const watching = await oasis.neighbours.bus.watch(cdrDelivered, (fact) => void delivered.push(fact));
  sending = await startSending();
  await expect.poll(() => partner.pushed().toSorted()).toEqual(['POST /cdrs', 'PUT /locations/CA/BCT/L-1']);
  await expect.poll(waiting).toBe(0);
  // What one notes the other tells. Both may try to, and a watch hears that, too.
  await expect.poll(() => [...new Set(delivered.map(({ cdrId }) => cdrId))]).toEqual(['C-1']);
  watching.stop();
});

test('CMD-01 CMD-04 the result of a command that one was given is delivered by the other, after the answer', async () => {
  oasis.neighbours.answers.startSession = async ({ orderId }) => {
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
    return { result: 'ACCEPTED' };
  };
  const body = { response_url: `${new URL(partner.url).origin}/results/1`, location_id: 'L-1', token: { ...exampleToken, party_id: 'MTL' } };
  const answer = await call(oasis, '/ocpi/2.2.1/receiver/commands/START_SESSION', { token: partner.token, method: 'POST', body });
  expect(answer).toMatchObject({ status_code: 1000, data: { result: 'ACCEPTED' } });
  await expect.poll(() => partner.pushed('POST /results')).toEqual(['POST /results/1']);
});

test('where the one that sends is gone, nothing is lost, and the next goes on', async () => {
  await sending!.stop();
  partner.seen.length = 0;
  await oasis.neighbours.tell(location('L-2'), location('L-3'), cdr('C-2'));
  await expect.poll(waiting).toBe(3);
  expect(partner.pushed()).toEqual([]);
  sending = await startSending();
  await expect.poll(() => partner.pushed().toSorted()).toEqual(['POST /cdrs', 'PUT /locations/CA/BCT/L-2', 'PUT /locations/CA/BCT/L-3']);
});

test('what is sent while none listens is told all the same', async () => {
  await sending!.stop();
  await oasis.neighbours.tell(cdr('C-3'));
  await expect.poll(waiting).toBe(1);
  await oasis.gateway.stop();
  const delivered: CdrDelivered[] = [];
  const watching = await oasis.neighbours.bus.watch(cdrDelivered, (fact) => void delivered.push(fact));
  sending = await startSending();
  await expect.poll(() => delivered.map(({ cdrId }) => cdrId)).toEqual(['C-3']);
  watching.stop();
});

test.each([
  [{ OCPI_PROCESS: 'half' }, 'environment variable OCPI_PROCESS: whole, listening or sending, not "half"'],
  [{ OCPI_PROCESS: 'sending' }, 'environment variable OCPI_PUBLIC_URL is not set'],
])('a gateway does not start with %j', async (env, words) => {
  await expect(start({ ...oasis.platform.env, ...env })).rejects.toThrow(words);
});
