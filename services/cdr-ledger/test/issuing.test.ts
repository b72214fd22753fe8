import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import {
  correctCdr,
  getCdr,
  getStatement,
  listCdrs,
  listTokenCdrs,
  verifyLedger,
} from '#contracts/cdr-ledger';
import { cdrDelivered, partnerRegistered } from '#contracts/ocpi-gateway';
import { sessionEnded } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Cdr, read, type Session } from '#ocpi';
import type { Statement } from '#settlement';
import { cdr, location, session, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

let oasis: LedgerPlatform;

beforeAll(async () => {
  oasis = await ledgerPlatform({}, '2022-02-01T18:21:00Z');
  await oasis.tellAsGateway(
    told(partnerRegistered, {
      partnerId: 'p1',
      name: 'Carbon Plunk',
      version: '2.2.1',
      at: '2022-02-01T17:00:00Z',
      roles: [{ role: 'EMSP', party: cpk, name: 'Carbon Plunk' }],
    }),
  );
});
afterAll(() => oasis?.stop());

function ended(changed: Partial<Session> = {}, more: object = {}) {
  const whole = { ...session, ...changed };
  return told(sessionEnded, {
    sessionId: whole.id,
    tokenParty: cpk,
    sessionJson: toJsonBytes(whole),
    locationJson: toJsonBytes(location),
    tariffJson: toJsonBytes(tariff),
    tariffVersion: 3,
    tokenJson: toJsonBytes(token),
    energyWh: '6000',
    ...more,
  });
}

async function read1(cdrId: string) {
  const found = await oasis.bus.ask(getCdr, { party: bct, cdrId });
  return { ...found, cdr: found.cdrJson && fromJsonBytes<Cdr>(found.cdrJson) };
}

async function statementText(): Promise<string> {
  return (await oasis.bus.ask(getStatement, { partner: cpk, month: '2022-02' })).text;
}

const lastLine = (text: string) => text.split('\n').at(-1);

test('a session that ended, and is told so twice, becomes one CDR that is told once', async () => {
  await oasis.tellAsSessions(ended(), ended());
  await expect.poll(() => oasis.issued.length).toBe(1);
  await oasis.tellAsSessions(ended());
  const {
    issued: [fact],
  } = oasis;
  expect(fact).toMatchObject({
    cdrId: cdr.id,
    sessionId: session.id,
    credit: false,
    tokenParty: cpk,
  });
  const told = fromJsonBytes<Cdr>(fact!.cdrJson);
  expect(read(Cdr, told)).toMatchObject({ ok: true });
  expect(told).toEqual({ ...cdr, last_updated: expect.stringMatching(/^2022-02-01T18:2/) });
});

test('it can be read with the explanation of its price', async () => {
  const found = await read1(cdr.id);
  expect(found.cdr).toMatchObject({
    id: cdr.id,
    cdr_token: cdr.cdr_token,
    total_cost: cdr.total_cost,
  });
  expect(found).toMatchObject({ findings: [], repricedExclVat: '2.94', repricedInclVat: '3.09' });
  expect(found.explanationText).toContain('3.09 CAD');
  expect(await oasis.bus.ask(getCdr, { party: bct, cdrId: 'nowhere-1' })).toMatchObject({
    findings: [],
  });
});

test('a session that was never a charge is left unbilled, and the ledger says why', async () => {
  await oasis.tellAsSessions(ended({ id: 'S-INVALID', status: 'INVALID' }));
  await expect
    .poll(async () =>
      (
        await oasis.ledgerDb.query(`SELECT data FROM events WHERE stream = 'cdr-s-invalid'`)
      ).rows.map(({ data }) => JSON.parse(data).reason),
    )
    .toEqual(['session-not-completed']);
  expect((await read1('S-INVALID-1')).cdr).toBeUndefined();
});

test('CDR-05 a correction credits and replaces in one go, and is made once however often it is ordered', async () => {
  expect(lastLine(await statementText())).toBe('Carbon Plunk owes Energy OASIS 3.09 CAD');
  const order = { cdrId: cdr.id, reason: 'The meter was wrong', energyWh: '3000' };
  const made = await oasis.bus.ask(correctCdr, order, { commandId: 'c1' });
  expect(made).toMatchObject({
    creditCdrId: `${session.id}-1-C`,
    replacementCdrId: `${session.id}-2`,
  });
  expect(await oasis.bus.ask(correctCdr, order, { commandId: 'c1' })).toEqual(made);
  await expect(oasis.bus.ask(correctCdr, order, { commandId: 'c2' })).rejects.toMatchObject({
    code: 'already-credited',
  });

  const credit = await read1(made.creditCdrId);
  expect(credit.cdr).toEqual({
    ...(await read1(cdr.id)).cdr,
    id: `${session.id}-1-C`,
    credit: true,
    credit_reference_id: cdr.id,
    total_cost: { excl_vat: -2.94, incl_vat: -3.09 },
    last_updated: expect.any(String),
  });
  const replacement = await read1(made.replacementCdrId!);
  expect(replacement.cdr).toMatchObject({
    total_energy: 3,
    total_cost: { excl_vat: 2.22, incl_vat: 2.33 },
    cdr_token: cdr.cdr_token,
  });
  expect(replacement.cdr).not.toHaveProperty('credit');
  expect(lastLine(await statementText())).toBe('Carbon Plunk owes Energy OASIS 2.33 CAD');
  await expect
    .poll(() => oasis.issued.map(({ cdrId, credit: is }) => `${cdrId} ${is}`))
    .toEqual([`${session.id}-1 false`, `${session.id}-1-C true`, `${session.id}-2 false`]);
});

test('a charge may be credited without being billed again', async () => {
  const made = await oasis.bus.ask(correctCdr, {
    cdrId: `${session.id}-2`,
    reason: 'Goodwill',
    withoutReplacement: true,
  });
  expect(made.creditCdrId).toBe(`${session.id}-2-C`);
  expect(made.replacementCdrId).toBeUndefined();
  expect(lastLine(await statementText())).toBe(
    'Energy OASIS and Carbon Plunk owe each other nothing in CAD',
  );
});

test.each([
  [{ cdrId: 'nowhere-1', reason: 'x' }, 'unknown-cdr'],
  [{ cdrId: 'none', reason: 'x' }, 'unknown-cdr'],
  [{ cdrId: `${session.id}-1-C`, reason: 'x' }, 'unknown-cdr'],
  [{ cdrId: `${session.id}-2`, reason: 'x' }, 'already-credited'],
])('%j is refused: %s', async (order, code) => {
  await expect(oasis.bus.ask(correctCdr, order)).rejects.toMatchObject({ code });
});

test('a review that makes no sense is refused by name and field', async () => {
  await oasis.tellAsSessions(ended({ id: 'S-REVIEW' }));
  await expect.poll(async () => (await read1('S-REVIEW-1')).cdr?.id).toBe('S-REVIEW-1');
  const order = { cdrId: 'S-REVIEW-1', reason: 'x' };
  const refused = (more: object) =>
    expect(oasis.bus.ask(correctCdr, { ...order, ...more })).rejects;
  await refused({ energyWh: 'much' }).toMatchObject({
    code: 'invalid-object',
    detail: expect.stringContaining('energy_wh'),
  });
  await refused({ energyWh: '-1' }).toMatchObject({ code: 'invalid-object' });
  await refused({ tariffJson: toJsonBytes('{') }).toMatchObject({
    code: 'invalid-object',
    detail: expect.stringContaining('tariff'),
  });
  await refused({ tariffJson: toJsonBytes({ ...tariff, currency: 'USD' }) }).toMatchObject({
    code: 'invalid-object',
  });
  expect((await read1('S-REVIEW-1-C')).cdr).toBeUndefined();
});

test('what the partner has is acknowledged', async () => {
  const delivered = told(cdrDelivered, {
    cdrId: cdr.id,
    tokenParty: cpk,
    locationUrl: 'https://cpk.example/1',
    at: '2022-02-01T18:22:00Z',
  });
  await oasis.tellAsGateway(delivered, delivered);
  await expect
    .poll(
      async () =>
        (
          await oasis.ledgerDb.query('SELECT acknowledged_at FROM cdrs WHERE cdr_key = $1', [
            cdr.id.toLowerCase(),
          ])
        ).rows[0]?.acknowledged_at,
    )
    .toEqual(new Date('2022-02-01T18:22:00Z'));
  expect(
    (await oasis.ledgerDb.query(`SELECT 1 FROM events WHERE type = 'CdrAcknowledged'`)).rowCount,
  ).toBe(1);
});

test('CDR-15 TRN-51 TRN-54 CDRs are paged in the order of their creation, to the owner of their tokens only', async () => {
  const page = async (more: object, tokenParties = [cpk], owner?: object) => {
    const { objectsJson, total } = await oasis.bus.ask(listCdrs, {
      tokenParties,
      ...(owner ? { owner } : {}),
      page: { offset: 0, limit: 10, ...more },
    });
    return { ids: objectsJson.map((json) => fromJsonBytes<Cdr>(json).id), total };
  };
  const all = [
    `${session.id}-1`,
    `${session.id}-1-C`,
    `${session.id}-2`,
    `${session.id}-2-C`,
    'S-REVIEW-1',
  ];
  expect(await page({})).toEqual({ ids: all, total: 5 });
  expect(await page({ offset: 1, limit: 2 })).toEqual({ ids: all.slice(1, 3), total: 5 });
  expect(await page({ offset: 9 })).toEqual({ ids: [], total: 5 });
  expect(await page({}, [{ countryCode: 'CA', partyId: 'XYZ' }])).toEqual({ ids: [], total: 0 });
  expect(await page({}, [cpk], bct), 'of one party of ours').toEqual({ ids: all, total: 5 });
  expect(await page({}, [cpk], { countryCode: 'CA', partyId: 'NOB' })).toEqual({ ids: [], total: 0 });
  const { cdr: first } = await read1(cdr.id);
  expect(await page({ dateTo: first!.last_updated })).toEqual({ ids: [], total: 0 });
  expect((await page({ dateFrom: first!.last_updated, limit: 1 })).ids).toEqual([cdr.id]);
  await expect(page({ dateFrom: 'yesterday' })).rejects.toMatchObject({ code: 'invalid-object' });
});

test("a driver's receipts are those of the token, newest first", async () => {
  const { cdrsJson } = await oasis.bus.ask(listTokenCdrs, {
    tokenParty: cpk,
    tokenUid: token.uid.toLowerCase(),
    limit: 2,
  });
  expect(cdrsJson.map((json) => fromJsonBytes<Cdr>(json).id)).toEqual([
    'S-REVIEW-1',
    `${session.id}-2-C`,
  ]);
});

test("a month is one of the calendar of the ledger's zone, and is the same however often it is asked for", async () => {
  const ask = (month: string) => oasis.bus.ask(getStatement, { partner: cpk, month });
  expect(await ask('2022-02')).toEqual(await ask('2022-02'));
  expect(fromJsonBytes<Statement>((await ask('2022-02')).statementJson)).toMatchObject({
    time_zone: 'America/Vancouver',
    state: 'without-agreement',
    currencies: [{ invoices: [{ charging: { cdrs: 3, credits: 2, incl_tax: '3.09' } }] }],
  });
  expect(lastLine((await ask('2022-01')).text)).toBe(
    'Energy OASIS and Carbon Plunk owe each other nothing',
  );
  await expect(ask('2022-13')).rejects.toMatchObject({ code: 'invalid-object' });
});

test('two replicas and a restart make one CDR of each session, in one chain', async () => {
  const replica = await oasis.startReplica();
  const sessions = Array.from({ length: 40 }, (_, n) => `S-MANY-${n}`);
  const first = oasis.tellAsSessions(...sessions.map((id) => ended({ id })));
  await oasis.restart();
  await first;
  await oasis.tellAsSessions(...sessions.map((id) => ended({ id })));
  const many = () =>
    oasis.issued.filter(({ cdrId }) => cdrId.startsWith('S-MANY-')).map(({ cdrId }) => cdrId);
  await expect.poll(() => many().length).toBe(40);
  await replica.stop();
  expect(new Set(many())).toEqual(new Set(sessions.map((id) => `${id}-1`)));
  const { chains } = await oasis.bus.ask(verifyLedger, {});
  expect(chains).toMatchObject([{ chain: 'CA*BCT', intact: true, problem: '' }]);
  expect(chains[0]!.entries).toBe((await oasis.ledgerDb.query('SELECT 1 FROM events')).rowCount);
});

/** What a meter with a key of its own signed of 6 kWh in the session's hour. */
function signedBySomeMeter() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const record = (page: number, TX: string, time: string, RV: number) => {
    const RD = [{ TM: `2022-02-01T${time},000-0800 S`, TX, RV, RI: '1-b:1.8.0', RU: 'kWh', ST: 'G' }];
    const payload = JSON.stringify({ FV: '1.0', PG: `T${page}`, MS: 'M-1', RD });
    const SD = sign('sha256', Buffer.from(payload), privateKey).toString('hex');
    const text = `OCMF|${payload}|${JSON.stringify({ SA: 'ECDSA-secp256r1-SHA256', SD })}`;
    return { plain_data: text, signed_data: Buffer.from(text).toString('base64') };
  };
  return {
    encoding_method: 'OCMF',
    public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    signed_values: [
      { nature: 'Start', ...record(7, 'B', '09:00:05', 100) },
      { nature: 'End', ...record(8, 'E', '10:00:05', 106) },
    ],
  };
}

test('CDR-20: a replacement carries what the meter signed, and says where it charges something else', async () => {
  await oasis.tellAsSessions(ended({ id: 'S-SIGNED' }, {
    signedDataJson: toJsonBytes(signedBySomeMeter()),
    meterFindings: [{ code: 'register-wrapped', detail: 'it wrapped', figures: { told: '12.5', unit: 'Wh' } }],
  }));
  await expect.poll(async () => (await read1('S-SIGNED-1')).findings.map(({ code }) => code))
    .toEqual(['register-wrapped', 'signed-by-unknown-key']);
  expect((await read1('S-SIGNED-1')).findings[0]).toMatchObject({ figures: { told: '12.5', unit: 'Wh' } });
  const { signed_data } = (await read1('S-SIGNED-1')).cdr!;
  const made = await oasis.bus.ask(correctCdr, { cdrId: 'S-SIGNED-1', reason: 'x', energyWh: '3000' }, { commandId: 'signed' });
  const replacement = await read1(made.replacementCdrId!);
  expect(replacement.cdr?.signed_data).toEqual(signed_data);
  expect(replacement.findings.map(({ code }) => code)).toEqual(['register-wrapped', 'signed-by-unknown-key', 'signed-energy-differs']);
  expect((await read1(made.creditCdrId)).cdr?.signed_data).toEqual(signed_data);
});
