import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner, registerPartner } from '#contracts/ocpi-gateway';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

let oasis: Side;
const partners: HandPartner[] = [];

beforeAll(async () => {
  oasis = await openSide({});
});
afterAll(async () => {
  await Promise.all(partners.map((partner) => partner.close()));
  await oasis?.close();
});

/** A platform of an eMSP that gave us a TOKEN_A. */
async function partnerOf(partyId: string, more: Partial<Pick<HandPartner, 'version' | 'alsoLists' | 'wrapsVersions'>>): Promise<HandPartner> {
  const partner = Object.assign(await HandPartner.open('Example', partyId, 'EMSP', ['RECEIVER locations']), more);
  partner.answer = (what) => (what === 'POST /credentials' ? { data: partner.credentials() } : {});
  partners.push(partner);
  return partner;
}
const register = ({ url, partyId }: HandPartner) =>
  oasis.neighbours.bus.ask(registerPartner, { name: partyId, versionsUrl: url, tokenA: `token-a-of-${partyId}` }, { timeoutMs: 30_000 });

test('VER-02 a version that a partner lists and has no details of is passed over for the next newest that both have', async () => {
  const partner = await partnerOf('VCA', { version: '2.1.1', alsoLists: ['2.3.0', '2.2.1'] });
  expect(await register(partner)).toMatchObject({ state: 'registered', version: '2.1.1' });
  const none = await partnerOf('VCB', { version: '1.9', alsoLists: ['2.3.0', '2.2.1'] });
  await expect(register(none)).rejects.toThrow(/GET of version details \(.*\/2\.3\.0\): HTTP 404/);
});

test('2.1.1 its versions may come in an object, as its table has them', async () => {
  const partner = await partnerOf('VCC', { version: '2.1.1', wrapsVersions: true });
  expect(await register(partner)).toMatchObject({ state: 'registered', version: '2.1.1' });
});

test('CRE-02 CRE-03 who POSTs its credentials to a version that it does not list is 3002, who lists no place for ours is 3003: neither is registered', async () => {
  const partner = await partnerOf('VCE', {});
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'VCE', parties: partner.parties() });
  const post = (body = partner.credentials()) => call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body });
  const given = partner.credentials();
  partner.version = '2.1.1';
  expect(await post(given)).toMatchObject({ http: 200, status_code: 3002 });
  Object.assign(partner, { version: '2.2.1', listsCredentials: false });
  expect(await post()).toMatchObject({ http: 200, status_code: 3003, status_message: expect.stringContaining('no credentials endpoint') });
  partner.listsCredentials = true;
  expect(await post(), 'its TOKEN_A is good still').toMatchObject({ http: 200, status_code: 1000 });
});

test('CRE-03 who speaks 2.1.1 alone is refused by a hub by name, and its operator reads what can be done; so is who shares no version with a CPO', async () => {
  const hub = await openSide({ party: { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'], currency: 'CAD' } });
  const newer = await openSide({}, ['2.2.1']);
  const old = await partnerOf('VCD', { version: '2.1.1' });
  const registerAt = (side: Side) => side.neighbours.bus.ask(registerPartner, { name: 'VCD', versionsUrl: old.url, tokenA: 'token-a-of-VCD' }, { timeoutMs: 30_000 });
  try {
    await expect(registerAt(hub)).rejects.toMatchObject({
      code: 'no-common-version', detail: expect.stringMatching(/^we speak 2\.2\.1, the partner 2\.1\.1: .*members has to offer 2\.2\.1; .*link .*directly$/),
    });
    await expect(registerAt(newer)).rejects.toMatchObject({
      code: 'no-common-version', detail: expect.stringMatching(/^we speak 2\.2\.1, the partner 2\.1\.1: .*ocpi\.versions/),
    });
  } finally {
    await hub.close();
    await newer.close();
  }
});
