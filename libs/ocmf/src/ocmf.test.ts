import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compareWithCharge, type DifferenceCode } from './compare.ts';
import { keyText, readMeterKey } from './meter-key.ts';
import { natureOf } from './nature.ts';
import { type Ocmf, readOcmf } from './ocmf.ts';
import { verifySignature } from './verify.ts';

const reading = (time: string, more: object) => ({ TM: `2022-02-01T${time},000-0800 S`, ...more });
const kwh = { RI: '1-b:1.8.0', RU: 'kWh', ST: 'G' };
const payload = (fields: object = {}) =>
  JSON.stringify({
    FV: '1.0', GS: 'GW-1', PG: 'T12', MS: 'M-1', IS: true, IT: 'ISO14443', ID: '1F2D3A4F5506C7',
    RD: [reading('09:00:00', { TX: 'B', RV: 100.1, ...kwh }), reading('10:00:00', { TX: 'E', RV: 107.35 })],
    ...fields,
  });

const pair = (namedCurve = 'prime256v1') => generateKeyPairSync('ec', { namedCurve });
function signed(
  text: string,
  { privateKey }: { privateKey: KeyObject },
  { curve = 'secp256r1', hash = 'SHA256', encoding = 'hex' as 'hex' | 'base64', ...more } = {},
): string {
  const SD = sign(hash.toLowerCase(), Buffer.from(text), privateKey).toString(encoding);
  const section = { SA: `ECDSA-${curve}-${hash}`, ...(encoding === 'hex' ? {} : { SE: encoding }), SD, ...more };
  return `OCMF|${text}|${JSON.stringify(section)}`;
}
const spki = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ type: 'spki', format: 'der' });
const keyOf = (keys: { publicKey: KeyObject }) => readMeterKey(spki(keys).toString('hex'))!;

function ocmf(text: string): Ocmf {
  const read = readOcmf(text);
  if (!read.ok) throw new Error(read.message);
  return read.ocmf;
}

describe('a record is read', () => {
  test('with every digit of its readings; what is left out is as in the reading before', () => {
    const text = payload().replace('107.35', '107.350');
    expect(ocmf(`OCMF|${text}|{"SD":"00"}`)).toMatchObject({
      payload: text,
      page: { context: 'T', number: 12 },
      meter: 'M-1',
      readings: [
        { atMs: Date.parse('2022-02-01T17:00:00Z'), clock: 'S', reason: 'B', value: '100.1', unit: 'kWh', status: 'G' },
        { atMs: Date.parse('2022-02-01T18:00:00Z'), reason: 'E', value: '107.350', unit: 'kWh', register: '1-b:1.8.0' },
      ],
      signature: { algorithm: 'ECDSA-secp256r1-SHA256', encoding: 'hex', data: '00' },
    });
  });

  test('with several registers of one moment, of which only the first tells the time', () => {
    const exported = { RV: 4.405, RI: '1-0:2.8.0', RU: 'kWh', ST: 'G' };
    const [begin, end] = [reading('09:00:00', { TX: 'B', RV: 57.584, ...kwh }), reading('10:00:00', { TX: 'E', RV: 58.685, ...kwh })];
    const { readings } = ocmf(`OCMF|${payload({ RD: [begin, exported, end, exported] })}|{"SD":"00"}`);
    const told = readings.map(({ atMs, reason, register, value }) => [new Date(atMs).toISOString(), reason, register, value]);
    expect(told).toEqual([
      ['2022-02-01T17:00:00.000Z', 'B', '1-b:1.8.0', '57.584'], ['2022-02-01T17:00:00.000Z', 'B', '1-0:2.8.0', '4.405'],
      ['2022-02-01T18:00:00.000Z', 'E', '1-b:1.8.0', '58.685'], ['2022-02-01T18:00:00.000Z', 'E', '1-0:2.8.0', '4.405'],
    ]);
  });

  test('with a value in text, in columns', () => {
    const text = payload({ RD: [reading('09:00:00', { TX: 'B', RV: '       9.038', ...kwh })] });
    expect(ocmf(`OCMF|${text}|{"SD":"00"}`).readings).toMatchObject([{ value: '9.038' }]);
  });

  test.each([
    ['E', 'End'], ['L', 'End'], ['R', 'End'], ['A', 'End'], ['P', 'End'],
    ['B', 'Start'], ['C', 'Intermediate'], ['T', 'Intermediate'], [undefined, undefined],
  ])('CDR-20: of reason %s it is the %s of a transaction', (TX, nature) => {
    const text = payload({ RD: [reading('09:00:00', { TX, RV: 1, ...kwh })] });
    expect(natureOf(ocmf(`OCMF|${text}|{"SD":"00"}`))).toBe(nature);
  });

  const section = '{"SD":"00"}';
  test.each([
    ['nothing', '', 'not-ocmf'],
    ['a number', '12345', 'not-ocmf'],
    ['another format', 'AP;0;3;ALCV;', 'not-ocmf'],
    ['no signature', `OCMF|${payload()}`, 'not-ocmf'],
    ['a section too many', `OCMF|${payload()}|${section}|00`, 'not-ocmf'],
    ['broken JSON', `OCMF|{"PG":|${section}`, 'bad-payload'],
    ['a list', `OCMF|[]|${section}`, 'bad-payload'],
    ['deep nesting', `OCMF|{"RD":${'['.repeat(9_000)}${']'.repeat(9_000)}}|${section}`, 'bad-payload'],
    ['no readings', `OCMF|${payload({ RD: [] })}|${section}`, 'bad-payload'],
    ['too many readings', `OCMF|${payload({ RD: Array(501).fill({}) })}|${section}`, 'bad-payload'],
    ['a reading that is none', `OCMF|${payload({ RD: [7] })}|${section}`, 'bad-payload'],
    ['a reading without a time', `OCMF|${payload({ RD: [{ RV: 1 }, reading('09:00:00', {})] })}|${section}`, 'bad-payload'],
    ['a time that is none', `OCMF|${payload({ RD: [{ TM: 'noon' }] })}|${section}`, 'bad-payload'],
    ['a value that is none', `OCMF|${payload({ RD: [reading('09:00:00', { RV: 'NaN' })] })}|${section}`, 'bad-payload'],
    ['a page that is none', `OCMF|${payload({ PG: '12' })}|${section}`, 'bad-payload'],
    ['a serial number that is none', `OCMF|${payload({ MS: ['7'] })}|${section}`, 'bad-payload'],
    ['no signature in its section', `OCMF|${payload()}|{}`, 'bad-signature-section'],
    ['a signature that is not hex', `OCMF|${payload()}|{"SD":"xyz"}`, 'bad-signature-section'],
    ['a signature of another kind', `OCMF|${payload()}|{"SD":"00","SM":"text/plain"}`, 'bad-signature-section'],
    ['another encoding', `OCMF|${payload()}|{"SD":"00","SE":"base32"}`, 'bad-signature-section'],
    ['10 MB', 'OCMF|'.padEnd(10_000_000, '{'), 'too-long'],
  ])('or refused by name: %s', (_, text, code) => {
    expect(readOcmf(text)).toMatchObject({ ok: false, code });
  });
});

describe('a signature', () => {
  const curves = [
    ['secp192k1', 'secp192k1', 'SHA256'],
    ['secp192r1', 'prime192v1', 'SHA256'],
    ['secp256k1', 'secp256k1', 'SHA256'],
    ['secp256r1', 'prime256v1', 'SHA256'],
    ['secp384r1', 'secp384r1', 'SHA256'],
    ['secp384r1', 'secp384r1', 'SHA384'],
    ['secp521r1', 'secp521r1', 'SHA512'],
    ['brainpool256r1', 'brainpoolP256r1', 'SHA256'],
    ['brainpoolP256r1', 'brainpoolP256r1', 'SHA256'],
    ['brainpool384r1', 'brainpoolP384r1', 'SHA256'],
  ] as const;

  test.each(curves)('on %s (%s) with %s is checked', (curve, nodeName, hash) => {
    const keys = pair(nodeName);
    const [key, other] = [keyOf(keys), keyOf(pair(nodeName))];
    for (const encoding of ['hex', 'base64'] as const) {
      const record = signed(payload(), keys, { curve, hash, encoding });
      expect(verifySignature(ocmf(record), key)).toEqual({ verdict: 'valid' });
      expect(verifySignature(ocmf(record), other)).toMatchObject({ verdict: 'invalid' });
      const forged = record.replace('107.35', '107.45');
      expect(verifySignature(ocmf(forged), key)).toMatchObject({ verdict: 'invalid' });
    }
  });

  test.each(curves)('on %s (%s) with %s is checked as two bare numbers, too', (curve, nodeName, hash) => {
    const keys = pair(nodeName);
    const bare = sign(hash.toLowerCase(), Buffer.from(payload()), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
    const record = `OCMF|${payload()}|${JSON.stringify({ SA: `ECDSA-${curve}-${hash}`, SD: bare.toString('hex') })}`;
    expect(verifySignature(ocmf(record), keyOf(keys))).toEqual({ verdict: 'valid' });
    expect(verifySignature(ocmf(record), keyOf(pair(nodeName)))).toMatchObject({ verdict: 'invalid' });
    expect(verifySignature(ocmf(record.replace('107.35', '107.45')), keyOf(keys))).toMatchObject({ verdict: 'invalid' });
  });

  test('is of the bytes as they came: a space more is another record', () => {
    const keys = pair();
    const spaced = signed(payload(), keys).replace('"PG"', ' "PG"');
    expect(verifySignature(ocmf(spaced), keyOf(keys))).toMatchObject({ verdict: 'invalid' });
  });

  test.each([
    ['ECDSA-sect283k1-SHA256', 'its algorithm "ECDSA-sect283k1-SHA256"'],
    ['RSA-2048', 'its algorithm "RSA-2048"'],
    ['ECDSA-secp256r1-MD5', 'its algorithm "ECDSA-secp256r1-MD5"'],
    ['ECDSA-secp384r1-SHA256', 'it is signed on secp384r1, the key is on secp256r1'],
  ])('by %s cannot be checked, and it is said why', (SA, why) => {
    const keys = pair();
    expect(verifySignature(ocmf(signed(payload(), keys, { SA } as object)), keyOf(keys))).toMatchObject({
      verdict: 'not-verifiable',
      why: expect.stringContaining(why),
    });
  });

  test.each(['00', '3000', '3006020100020100', 'ff'.repeat(500)])('of garbage is invalid: %.20s', (SD) => {
    const keys = pair();
    const record = `OCMF|${payload()}|${JSON.stringify({ SD })}`;
    expect(verifySignature(ocmf(record), keyOf(keys))).toMatchObject({ verdict: 'invalid' });
  });
});

describe('a public key', () => {
  const keys = pair('secp256k1');
  const der = spki(keys);
  const { x, y } = keys.publicKey.export({ format: 'jwk' });
  const bare = Buffer.concat([Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]).toString('hex');
  const parity = Buffer.from(y!, 'base64url').at(-1)! % 2 === 0 ? '02' : '03';
  test.each([
    ['hex', der.toString('hex')],
    ['hex in groups', der.toString('hex').toUpperCase().replaceAll(/(.{4})/g, '$1 ')],
    ['base64', der.toString('base64')],
    ['PEM', keys.publicKey.export({ type: 'spki', format: 'pem' }) as string],
    ['a prefix before hex', `oca:base16:asn1:${der.toString('hex')}`],
    ['base64 over that', Buffer.from(`oca:base16:asn1:${der.toString('hex')}`).toString('base64')],
    ['base64 over hex', Buffer.from(der.toString('hex')).toString('base64')],
    ['a point', `04${bare}`],
    ['a compressed point', `${parity}${Buffer.from(x!, 'base64url').toString('hex')}`],
    ['a bare point', bare],
  ])('is read from %s', (_, text) => {
    const key = readMeterKey(text, 'secp256k1')!;
    expect(key.curve).toBe('secp256k1');
    expect(createPublicKey({ key: Buffer.from(keyText(key), 'base64'), format: 'der', type: 'spki' }).equals(keys.publicKey)).toBe(true);
  });

  test.each(['', 'none', 'zz', '3059', bare, `04${'00'.repeat(64)}`, '!', 'A'.repeat(6_000)])('is not made of %.20s', (text) => {
    expect(readMeterKey(text)).toBeUndefined();
  });
});

describe('compared with what is charged', () => {
  const charge = {
    energyKwh: '7.25',
    startMs: Date.parse('2022-02-01T17:00:10Z'),
    endMs: Date.parse('2022-02-01T18:30:00Z'),
  };
  const record = (nature: 'Start' | 'Intermediate' | 'End', fields: object) => ({
    nature,
    ocmf: ocmf(`OCMF|${payload(fields)}|{"SD":"00"}`),
  });
  const whole = (fields: object = {}) => [record('End', fields)];
  const parts = (begin: object, end: object, pages = ['T12', 'T13']) => [
    record('Start', { PG: pages[0], RD: [reading('09:00:00', { TX: 'B', RV: 100, ...kwh, ...begin })] }),
    record('End', { PG: pages[1], RD: [reading('10:00:00', { TX: 'E', RV: 107.25, ...kwh, ...end })] }),
  ];
  const both = (more: object) => whole({
    RD: [reading('09:00:00', { TX: 'B', RV: 0, ...kwh, ...more }), reading('10:00:00', { TX: 'E', RV: 7.25 })],
  });

  test.each<[string, ReturnType<typeof whole>, DifferenceCode[]]>([
    ['a record with both readings', whole(), []],
    ['a record for each', parts({}, {}), []],
    ['one that counts from 0, in Wh', parts({ RV: 0, RU: 'Wh' }, { RV: 7250, RU: 'Wh' }), []],
    ['one as exact as its meter', parts({ RV: '100.0' }, { RV: '107.3' }), []],
    ['more energy than its last digit', parts({ RV: '100.0' }, { RV: '107.4' }), ['energy']],
    ['more energy', parts({}, { RV: 107.27 }), ['energy']],
    ['another unit', both({ RU: 'mOhm' }), ['unit']],
    ['no end', whole({ RD: [reading('09:00:00', { TX: 'B', RV: 1, ...kwh })] }), ['incomplete']],
    ['a meter that has a fault', parts({}, { ST: 'M' }), ['not-usable']],
    ['energy that the meter flags', both({ EF: 'E' }), ['not-usable']],
    ['pages that go back', parts({}, {}, ['T13', 'T12']), ['pages']],
    ['a page twice', parts({}, {}, ['T13', 'T13']), ['pages']],
    ['a page left out', parts({}, {}, ['T13', 'T15']), ['pages-missing']],
    ['another day', both({ TM: '2022-01-31T09:00:00,000-0800 S' }), ['time']],
    ['a clock that runs from its own start', both({ TM: '1970-01-01T00:00:00,000+0000 R' }), []],
    ['readings without a reason', [
      record('Start', { RD: [reading('09:00:00', { RV: 0, ...kwh })] }),
      record('End', { PG: 'T13', RD: [reading('10:00:00', { RV: 7.25, ...kwh })] }),
    ], []],
  ])('%s: %j', (_, records, codes) => {
    expect(compareWithCharge(records, charge).map(({ code }) => code)).toEqual(codes);
  });

  test('several meters are no one transaction', () => {
    const [start, end] = parts({}, {});
    const other = { ...end!, ocmf: { ...end!.ocmf, meter: 'M-2' } };
    expect(compareWithCharge([start!, other], charge)).toEqual([
      { code: 'meters', detail: 'it is signed by several meters: M-1, M-2' },
    ]);
  });

  test('what differs is said in numbers', () => {
    expect(compareWithCharge(parts({}, { RV: 107.45 }), charge)[0]?.detail).toBe(
      'it is signed for 7.45 kWh, charged are 7.25 kWh',
    );
  });
});
