import { expect, test } from 'vitest';
import { told } from '#bus';
import { profileSettled } from '#contracts/evems-controller';
import { type RequestProfile, requestProfile, sessionStarted } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import type { Session } from '#ocpi';
import { agree, answered, at, consent, contract, count, profile, provider, pushedTo, session } from './consents.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide } from './side.ts';

// A CPO and smart charging service providers: with a link of their own, and behind a hub, beside the owner of the token.

test('CHP-03: of two profiles at once the one that is not taken does not make us forget the one that is', async () => {
  const oasis = await openSide({});
  const fourth = await HandPartner.open('Fourth', 'FTH', 'SCSP', provider);
  const asked: RequestProfile[] = [];
  const isOther = Promise.withResolvers<void>();
  const { bus, partners } = oasis.neighbours;
  await bus.answer(requestProfile, (requests) => Promise.all(requests.map(async (request) => {
    asked.push(request);
    const isTaken = request.profile?.periods[0]?.limit !== '7';
    if (!isTaken) await isOther.promise;
    return { result: isTaken ? 'ACCEPTED' : 'TOO_OFTEN', timeoutS: 60, message: '', by: 'CA*FTH' };
  })));
  try {
    await fourth.register(oasis);
    partners.set('SESSION CA*BCT O-3', session('O-3', { party_id: 'BCT' }));
    await agree(oasis, 0, 'FTH', consent);
    const puts = (limit: number, id = 'O-3') => answered(call(oasis, at(id), {
      token: fourth.token, method: 'PUT', body: { charging_profile: profile(limit), response_url: `${fourth.base}/results/two` },
    }));
    await expect.poll(async () => (await puts(6, 'O-4'), asked.at(-1)!.steering.length)).toBe(1);
    const first = puts(7);
    await expect.poll(() => count(`profile_followers WHERE session_id = 'o-3'`, oasis)).toBe(1);
    const second = puts(8);
    await expect.poll(() => Promise.race([second, 'waits'])).toBe('ACCEPTED');
    isOther.resolve();
    expect(await first).toBe('TOO_OFTEN');
    await agree(oasis, 0, 'FTH');
    await expect.poll(() => asked.filter(({ method }) => method === 'WITHDRAW').map(({ sessionId }) => sessionId)).toContain('o-3');
  } finally {
    isOther.resolve();
    await fourth.close();
    await oasis.close();
  }
});

test('CHP-03: of a consent that is withdrawn before our station obeys the provider hears no active profile either', async () => {
  const oasis = await openSide({});
  const third = await HandPartner.open('Third', 'TRD', 'SCSP', provider);
  const asked: RequestProfile[] = [];
  const { bus, partners } = oasis.neighbours;
  await bus.answer(requestProfile, async (requests) => requests.map((request) => {
    asked.push(request);
    return { result: 'ACCEPTED', timeoutS: 60, message: '', by: 'CA*TRD' };
  }));
  try {
    await third.register(oasis);
    partners.set('SESSION CA*BCT O-2', session('O-2', { party_id: 'BCT' }));
    await agree(oasis, 0, 'TRD', consent);
    const body = { charging_profile: profile(8), response_url: `${third.base}/results/own` };
    const puts = () => answered(call(oasis, at('O-2'), { token: third.token, method: 'PUT', body }));
    await expect.poll(async () => (await puts(), asked.at(-1)!.steering.length)).toBe(1);
    const { orderId } = asked.at(-1)!;
    await agree(oasis, 0, 'TRD');
    await expect.poll(() => asked.at(-1)!.method).toBe('WITHDRAW');
    const follows = () => count('profile_followers WHERE obeyed OR steered_by IS NOT NULL', oasis);
    await expect.poll(follows).toBe(0);
    await oasis.neighbours.tell(told(profileSettled, { siteId: 'SITE', orderId, sessionId: 'O-2', obeyed: true, at: new Date().toISOString() }));
    await expect.poll(() => third.seen.filter(({ what }) => what === 'POST /results/own').map(({ body }) => body)).toEqual([{ result: 'REJECTED' }]);
    expect(await follows()).toBe(0);
  } finally {
    await third.close();
    await oasis.close();
  }
});

test('CHP-03: who asks again where its consent is over, while it has others, does not hear how the first profile ended', async () => {
  const oasis = await openSide({});
  const fifth = await HandPartner.open('Fifth', 'FIF', 'SCSP', provider);
  const asked: RequestProfile[] = [];
  const { bus, partners } = oasis.neighbours;
  await bus.answer(requestProfile, async (requests) => requests.map((request) => {
    asked.push(request);
    const isGranted = request.method === 'WITHDRAW' || request.steering.some(({ contractIds }) => contractIds.includes(contract));
    return isGranted ? { result: 'ACCEPTED', timeoutS: 60, message: '', by: 'CA*FIF' } : { result: 'REJECTED', timeoutS: 0, message: '' };
  }));
  try {
    await fifth.register(oasis);
    partners.set('SESSION CA*BCT O-5', session('O-5', { party_id: 'BCT' }));
    await agree(oasis, 0, 'FIF', consent);
    const body = { charging_profile: profile(8), response_url: `${fifth.base}/results/own` };
    const puts = () => answered(call(oasis, at('O-5'), { token: fifth.token, method: 'PUT', body }));
    await expect.poll(puts).toBe('ACCEPTED');
    const { orderId } = asked.at(-1)!;
    await agree(oasis, 0, 'FIF', { ...consent, contract_ids: ['CA-CPK-C00000003-F'] });
    await expect.poll(() => asked.at(-1)!.method).toBe('WITHDRAW');
    const follows = () => count('profile_followers WHERE obeyed OR steered_by IS NOT NULL', oasis);
    await expect.poll(follows).toBe(0);
    expect(await puts()).toBe('REJECTED');
    await oasis.neighbours.tell(told(profileSettled, { siteId: 'SITE', orderId, sessionId: 'O-5', obeyed: true, at: new Date().toISOString() }));
    await expect.poll(() => fifth.seen.filter(({ what }) => what === 'POST /results/own').map(({ body }) => body)).toEqual([{ result: 'REJECTED' }]);
    expect(await follows()).toBe(0);
  } finally {
    await fifth.close();
    await oasis.close();
  }
});

test('HUB-04 CHP-05: a provider behind a hub has its Session beside the owner of the token, who has it whole; it asks through the hub', async () => {
  const oasis = await openSide({});
  const hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['RECEIVER sessions', 'SENDER chargingprofiles']);
  const asked: RequestProfile[] = [];
  await oasis.neighbours.bus.answer(requestProfile, async (requests) => requests.map((request) => {
    asked.push(request);
    return { result: 'ACCEPTED', timeoutS: 60, message: '' };
  }));
  try {
    await hub.register(oasis);
    const appears = (party_id: string, role: string) => call(oasis, `/ocpi/2.2.1/receiver/hubclientinfo/CA/${party_id}`, {
      token: hub.token, method: 'PUT',
      body: { country_code: 'CA', party_id, role, status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' },
    });
    await appears('CPK', 'EMSP');
    await appears('SMC', 'SCSP');
    await agree(oasis, 0, 'SMC', consent);
    const its = session('O-1', { party_id: 'BCT' });
    const fact = () => told(sessionStarted, { sessionId: 'O-1', tokenParty: { countryCode: 'CA', partyId: 'CPK' }, sessionJson: toJsonBytes(its) });
    const to = () => pushedTo(hub).map(({ headers, body }) => [headers['ocpi-to-party-id'], (body as Session).cdr_token.contract_id === contract]);
    await expect.poll(async () => (await oasis.neighbours.tell(fact()), to().length)).toBe(2);
    expect(to().toSorted()).toEqual([['CPK', true], ['SMC', false]]);
    const headers = { 'OCPI-from-country-code': 'CA', 'OCPI-from-party-id': 'SMC', 'OCPI-to-country-code': 'CA', 'OCPI-to-party-id': 'BCT' };
    const body = { charging_profile: profile(8), response_url: `${hub.base}/results/hub` };
    expect(await answered(call(oasis, at('O-1'), { token: hub.token, method: 'PUT', body, headers }))).toBe('ACCEPTED');
    expect(asked).toMatchObject([{ sessionId: 'O-1', parties: [{ partyId: 'SMC' }], steering: [{ to: { partyId: 'SMC' }, contractIds: [contract] }] }]);
    await agree(oasis, 0, 'LAT', consent);
    oasis.neighbours.own.sessions.push(its);
    await appears('LAT', 'SCSP');
    await expect.poll(() => to().map(([party]) => party)).toContain('LAT');
  } finally {
    await hub.close();
    await oasis.close();
  }
});

test('CHP-03 HUB-04: of two providers behind a hub the one that was refused does not keep the limit of the other when its consent is over', async () => {
  const oasis = await openSide({});
  const hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['RECEIVER sessions', 'SENDER chargingprofiles']);
  const asked: RequestProfile[] = [];
  const { bus, partners } = oasis.neighbours;
  await bus.answer(requestProfile, async (requests) => requests.map((request) => {
    asked.push(request);
    const by = `CA*${request.parties[0]!.partyId}`;
    return by === 'CA*LAT' ? { result: 'REJECTED', timeoutS: 0, message: 'set-by-another', by } : { result: 'ACCEPTED', timeoutS: 60, message: '', by };
  }));
  try {
    await hub.register(oasis);
    partners.set('SESSION CA*BCT O-6', session('O-6', { party_id: 'BCT' }));
    for (const party_id of ['SMC', 'LAT']) {
      await call(oasis, `/ocpi/2.2.1/receiver/hubclientinfo/CA/${party_id}`, {
        token: hub.token, method: 'PUT',
        body: { country_code: 'CA', party_id, role: 'SCSP', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' },
      });
      await agree(oasis, 0, party_id, consent);
    }
    const puts = (from: string, limit: number) => answered(call(oasis, at('O-6'), {
      token: hub.token, method: 'PUT', body: { charging_profile: profile(limit), response_url: `${hub.base}/results/${from}` },
      headers: { 'OCPI-from-country-code': 'CA', 'OCPI-from-party-id': from, 'OCPI-to-country-code': 'CA', 'OCPI-to-party-id': 'BCT' },
    }));
    await expect.poll(async () => (await puts('SMC', 8), asked.at(-1)!.steering.length)).toBe(1);
    await expect.poll(async () => (await puts('LAT', 9), asked.at(-1)!.steering.length)).toBe(1);
    expect(asked.at(-1)).toMatchObject({ parties: [{ partyId: 'LAT' }] });
    await agree(oasis, 0, 'SMC');
    await expect.poll(() => asked.filter(({ method }) => method === 'WITHDRAW').map(({ parties }) => parties[0]!.partyId)).toEqual(['SMC']);
  } finally {
    await hub.close();
    await oasis.close();
  }
});
