import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { answerAuthorize, getToken, issueToken, listTokens } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { AuthorizationInfo, Token } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

// A platform of two eMSPs: each token is one's.

const party = (party_id: string, ...roles: string[]) => ({ country_code: 'CA', party_id, name: `Party ${party_id}`, roles });
const of = (partyId: string) => ({ countryCode: 'CA', partyId });

let platform: TestPlatform;
let service: Running;
let bus: Bus;
beforeAll(async () => {
  platform = await testPlatform({ parties: [party('SOC', 'CPO'), party('SOA', 'EMSP'), party('SOB', 'EMSP')] });
  service = await start(platform.env);
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
});
afterAll(async () => {
  await bus?.close();
  await service?.stop();
  await platform?.drop();
});

const issue = (uid: string, owner: object = {}) =>
  bus.ask(issueToken, { tokenJson: toJsonBytes({ ...owner, uid, type: 'RFID', contract_id: `CA-SOX-${uid}` }) });
const sob = { country_code: 'CA', party_id: 'SOB' };

test('a token is of the eMSP that it names, else of the first, and bears its name', async () => {
  await issue('04AA');
  await issue('04BB', sob);
  const held = async (partyId: string, uid: string) => {
    const { tokenJson } = await bus.ask(getToken, { party: of(partyId), uid, type: 'RFID' });
    return tokenJson && fromJsonBytes<Token>(tokenJson).issuer;
  };
  expect([await held('SOA', '04AA'), await held('SOB', '04BB'), await held('SOA', '04BB')]).toEqual(['Party SOA', 'Party SOB', undefined]);
});

test('a uid is one party\'s: what is asked about a token names it by its uid alone', async () => {
  await expect(issue('04AA', sob)).rejects.toMatchObject({ code: 'token-of-another-contract', detail: '04AA is a token of CA*SOA' });
  await expect(issue('04CC', { country_code: 'CA', party_id: 'SOC' })).rejects.toMatchObject({
    code: 'invalid-object',
    detail: expect.stringContaining('CA*SOC is no EMSP'),
  });
});

test('TOK-04: a partner asks about a token of any party of ours, or of the one that it names', async () => {
  const asked = async (uid: string, partyId?: string) => {
    const { authorizationInfoJson } = await bus.ask(answerAuthorize, {
      uid,
      type: 'RFID',
      ...(partyId === undefined ? {} : { party: of(partyId) }),
    });
    return fromJsonBytes<AuthorizationInfo>(authorizationInfoJson).allowed;
  };
  expect([await asked('04aa'), await asked('04BB'), await asked('04BB', 'sob')]).toEqual(['ALLOWED', 'ALLOWED', 'ALLOWED']);
  await expect(asked('04BB', 'SOA')).rejects.toMatchObject({ code: 'unknown-token' });
});

test('a list holds the tokens of all parties of ours, or of one', async () => {
  const list = async (owner?: string) => (await bus.ask(listTokens, {
    page: { offset: 0, limit: 10 }, ...(owner === undefined ? {} : { owner: of(owner) }),
  })).objectsJson.map((json) => fromJsonBytes<Token>(json).uid);
  expect(await list()).toEqual(['04AA', '04BB']);
  expect(await list('sob')).toEqual(['04BB']);
});
