import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { readHead, signHead, wrongSignature } from './head.ts';
import { InvalidKey, isSignedBy, readPublicKeys, signerFromPem, signerFromSeed } from './keys.ts';

const signer = signerFromSeed(Buffer.alloc(32, 7));
const head = {
  ledger: 'CA*BCT',
  day: '2022-02-03',
  since: '2022-02-01',
  timeZone: 'America/Vancouver',
  tzdb: '2026f',
  entries: 57,
  link: 'ab'.repeat(32),
  root: 'cd'.repeat(32),
  at: '2022-02-04T08:00:00.250Z',
};

test('a head is one exact text under one signature', () => {
  const signed = signHead(head, signer);
  expect(signed.text).toBe(
    `roamwatt ledger head v1\nledger CA*BCT\nday 2022-02-03\nsince 2022-02-01\nzone America/Vancouver\ntzdb 2026f\n` +
      `entries 57\nlink ${head.link}\nroot ${head.root}\nat 2022-02-04T08:00:00.250Z\nkey ${signer.publicKey}\n`,
  );
  expect(readHead(signed.text)).toEqual({ ...head, key: signer.publicKey });
  expect(wrongSignature(signed, signer.publicKey, [signer.publicKey])).toBeUndefined();
  expect(wrongSignature(signed, signer.publicKey, [])).toContain('which is not known');
  const changed = { ...signed, text: signed.text.replace('57', '58') };
  expect(wrongSignature(changed, signer.publicKey, [signer.publicKey])).toContain('is not signed by');
});

test('any other spelling is no head, and no signature', () => {
  const { text, signature } = signHead(head, signer);
  for (const other of [`${text}\n`, text.trimEnd(), text.replace('entries 57', 'entries 057'), ''])
    expect(readHead(other)).toBeUndefined();
  // The last character holds four bits that are not the signature's.
  const last = signature.at(-1) === 'A' ? 'B' : String.fromCharCode(signature.charCodeAt(85) + 1);
  expect(isSignedBy(signer.publicKey, text, signature.slice(0, -1) + last)).toBe(false);
  expect(isSignedBy('no key', text, signature)).toBe(false);
});

test('keys are read as openssl writes them, or as their characters', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const fromPem = signerFromPem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  expect(readPublicKeys(`# the present one\n${pem}\n${signer.publicKey}  # the former one\n`)).toEqual([
    fromPem.publicKey,
    signer.publicKey,
  ]);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  expect(() => signerFromPem(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toThrow(InvalidKey);
  for (const text of ['', 'abc', rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()])
    expect(() => readPublicKeys(text)).toThrow(InvalidKey);
});
