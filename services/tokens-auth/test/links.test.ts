import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, type Outbox, outbox, type Relay, startRelay, told } from '#bus';
import { partyLinkChanged } from '#contracts/ocpi-gateway';
import { authorize, listContestedUids, putPartnerToken } from '#contracts/tokens-auth';
import { toJsonBytes } from '#contracts';
import { exampleToken, type Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let db: Database;
let gateway: Outbox;
let relay: Relay;

beforeAll(async () => {
  platform = await testPlatform();
  service = await start(platform.env);
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
  db = await openDatabase({ url: platform.databaseUrl, schema: 'ocpi_gateway', migrations: busMigrations });
  gateway = outbox('ocpi-gateway', db);
  relay = startRelay(bus, gateway);
});
afterAll(async () => {
  await relay?.close();
  await db?.close();
  await bus?.close();
  await service?.stop();
  await platform?.drop();
});

const put = (uid: string, { party_id: partyId = 'CPK', ...changes }: Partial<Token> = {}) => {
  const token = { ...exampleToken, country_code: 'CA', party_id: partyId, uid, type: 'RFID', valid: true, ...changes };
  return bus.ask(putPartnerToken, { party: { countryCode: 'CA', partyId }, uid, type: 'RFID', patch: false, bodyJson: toJsonBytes(token) });
};
const tap = async (idTag: string) => {
  const { status, refusal } = await bus.ask(authorize, { idTag, stationId: 'OASIS-L2-01' });
  return [status, refusal].filter(Boolean).join(' ');
};
const link = (partyId: string, linked: boolean) => db.tx((tx) =>
  gateway.tell(tx, [told(partyLinkChanged, { party: { countryCode: 'CA', partyId }, linked, at: '2022-02-01T18:00:00Z' })]));

test.each(['ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE'] as const)(
  'a card with whitelist %s charges no more once the link of its owner has ended, and again with its next link',
  async (whitelist) => {
    await put(`LEFT-${whitelist}`, { whitelist });
    await expect.poll(() => tap(`LEFT-${whitelist}`)).toBe('Accepted');
    await link('CPK', false);
    await expect.poll(() => tap(`LEFT-${whitelist}`)).toBe('Blocked no-link');
    await link('CPK', true);
    await expect.poll(() => tap(`LEFT-${whitelist}`)).toBe('Accepted');
  },
);

test('who ends a link, keeps no uid from whoever else issued it', async () => {
  const contested = async () => (await bus.ask(listContestedUids, { limit: 10 })).uids.map(({ uid }) => uid);
  await put('TWICE');
  await put('TWICE', { party_id: 'HBR' });
  expect(await tap('TWICE')).toBe('Invalid uid-of-several-parties');
  expect(await contested()).toEqual(['TWICE']);
  await link('HBR', false);
  await expect.poll(() => tap('TWICE')).toBe('Accepted');
  expect(await contested()).toEqual([]);
});
