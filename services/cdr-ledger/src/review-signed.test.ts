import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Cdr, SignedData } from '#ocpi';
import { cdr } from '../test/charge.ts';
import { reviewSigned } from './review-signed.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const otherKeys = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const spki = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const key = spki(keys);

/** 6 kWh in the hour from 09:00 in Vancouver, as the CDR has it. */
function record(page: number, reason: string, time: string, kwh: number, more: object = {}): string {
  const reading = { TM: `2022-02-01T${time},000-0800 S`, TX: reason, RV: kwh, RI: '1-b:1.8.0', RU: 'kWh', ST: 'G', ...more };
  const payload = JSON.stringify({ FV: '1.0', PG: `T${page}`, MS: 'M-1', RD: [reading] });
  const SD = sign('sha256', Buffer.from(payload), keys.privateKey).toString('hex');
  return `OCMF|${payload}|${JSON.stringify({ SA: 'ECDSA-secp256k1-SHA256', SD })}`;
}
/** The same words under another key, on another curve than that of the meter. */
function elsewhere(text: string): string {
  const [, payload = ''] = text.split('|');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const SD = sign('sha256', Buffer.from(payload), privateKey).toString('hex');
  return `OCMF|${payload}|${JSON.stringify({ SA: 'ECDSA-secp256r1-SHA256', SD })}`;
}
const value = (nature: string, text: string) => ({
  nature, plain_data: text, signed_data: Buffer.from(text).toString('base64'),
});
const start = record(7, 'B', '09:00:05', 100);
const end = record(8, 'E', '10:00:05', 106);
const signed = (more: Partial<SignedData> = {}): SignedData => ({
  encoding_method: 'OCMF',
  public_key: key,
  signed_values: [value('Start', start), value('End', end)],
  ...more,
});
const found = (data: SignedData | undefined, knownKey: string | undefined, more: Partial<Cdr> = {}) =>
  reviewSigned({ ...cdr, ...more, ...(data ? { signed_data: data } : {}) }, knownKey).map(({ code }) => code);

test('CDR-20: a valid signature by the key that is known is said in a sentence', () => {
  expect(reviewSigned({ ...cdr, signed_data: signed() }, key)).toEqual([
    { code: 'signed-data-valid', detail: 'the signature of what meter M-1 signed is valid' },
  ]);
});

describe('CDR-20: signed data', () => {
  const forged = value('End', end.replace('106', '107'));
  test.each<[string, SignedData | undefined, string | undefined, string[]]>([
    ['that is not there', undefined, key, []],
    ['by a key that only came along', signed(), undefined, ['signed-by-unknown-key']],
    [
      'with another key than is known',
      signed({ public_key: spki(otherKeys) }),
      key,
      ['signed-key-differs', 'signed-data-valid'],
    ],
    ['by another meter than is known', signed(), spki(otherKeys), ['signed-key-differs', 'signed-data-invalid']],
    ['by another key on another curve, where the key is known', signed({
      public_key: undefined,
      signed_values: [value('Start', elsewhere(start)), value('End', elsewhere(end))],
    }), key, ['signed-data-invalid']],
    ['without any key', signed({ public_key: undefined }), undefined, ['signed-data-not-verifiable']],
    ['with a key that is none', signed({ public_key: 'none' }), undefined, ['signed-data-not-verifiable']],
    ['of another encoding', signed({ encoding_method: 'Alfen Eichrecht' }), key, ['signed-data-not-verifiable']],
    ['that is none', signed({ signed_values: [value('End', 'garbage')] }), key, ['signed-data-unreadable']],
    [
      'that was changed',
      signed({ signed_values: [value('Start', start), forged] }),
      key,
      ['signed-data-invalid', 'signed-energy-differs'],
    ],
    [
      'whose plain text says more than is signed',
      signed({ signed_values: [value('Start', start), { ...value('End', end), plain_data: forged.plain_data }] }),
      key,
      ['signed-data-invalid'],
    ],
    [
      'of more energy',
      signed({ signed_values: [value('Start', start), value('End', record(8, 'E', '10:00:05', 106.5))] }),
      key,
      ['signed-data-valid', 'signed-energy-differs'],
    ],
    [
      'of another day',
      signed({ signed_values: [value('Start', record(7, 'B', '03:00:00', 100)), value('End', end)] }),
      key,
      ['signed-data-valid', 'signed-time-differs'],
    ],
    [
      'by a meter that has a fault',
      signed({ signed_values: [value('Start', start), value('End', record(8, 'E', '10:00:05', 106, { ST: 'M' }))] }),
      key,
      ['signed-data-valid', 'signed-reading-not-usable'],
    ],
    [
      'whose pages go back',
      signed({ signed_values: [value('Start', record(9, 'B', '09:00:05', 100)), value('End', end)] }),
      key,
      ['signed-data-valid', 'signed-pages-out-of-order'],
    ],
    [
      'of its end alone',
      signed({ signed_values: [value('End', end)] }),
      key,
      ['signed-data-valid', 'signed-readings-incomplete'],
    ],
  ])('%s', (_, data, knownKey, codes) => expect(found(data, knownKey)).toEqual(codes));

  test('is understood in the forms in which partners write it', () => {
    const forms = [
      { nature: 'start', plain_data: 'for people', signed_data: start },
      { nature: 'END', plain_data: end, signed_data: 'c2lnbmF0dXJl' },
    ];
    expect(found(signed({ signed_values: forms }), key)).toEqual(['signed-data-valid']);
  });

  test('and its times differ has both as figures', () => {
    const early = signed({ signed_values: [value('Start', record(7, 'B', '03:00:00', 100)), value('End', end)] });
    const [, differs] = reviewSigned({ ...cdr, signed_data: early }, key);
    const figures = { field: 'start_date_time', told: '2022-02-01T17:00:00.000Z', due: '2022-02-01T11:00:00.000Z' };
    expect(differs).toMatchObject({ code: 'signed-time-differs', figures });
  });

  test('says nothing of the driver', () => {
    const named = start.replace('"MS"', '"ID":"04A2B3C4D5E680","MS"');
    const all = reviewSigned({ ...cdr, signed_data: signed({ signed_values: [value('Start', named), value('End', end)] }) }, key);
    expect(JSON.stringify(all)).not.toContain('04A2B3C4D5E680');
  });

  test('of a CDR that a Credit CDR takes back is not judged again', () =>
    expect(found(signed(), key, { credit: true })).toEqual([]));
});
