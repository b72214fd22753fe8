import { expect, test } from 'vitest';
import { entryText, readHeading, Seals } from './entry.ts';

const place = { id: '00000000-0000-4000-8000-000000000001', stream: 'cdr-s-1', version: 2 };
const event = { type: 'CdrIssued', ledger: 'CA*BCT', cdr: { id: 'S-1-1' } };
const sealed = { id: '00000000-0000-4000-8000-000000000002', mac: 'ab'.repeat(32) };

test('an entry begins with where it stands, what it is, and its seal', () => {
  const text = entryText(place, { ...event, private: sealed });
  expect(JSON.parse(text)).toEqual({ place, ...event, private: sealed });
  expect(readHeading(text)).toEqual({ place, type: 'CdrIssued', ledger: 'CA*BCT', private: sealed });
  expect(readHeading(Buffer.from(text))).toEqual(readHeading(text));
  expect(readHeading(entryText(place, event))).toEqual({ place, type: 'CdrIssued', ledger: 'CA*BCT' });
});

test('an event that was made from another entry stands in its own place', () => {
  const before = JSON.parse(entryText({ ...place, version: 1 }, event)) as typeof event;
  expect(readHeading(entryText(place, { ...before, type: 'CdrCredited' }))?.place).toEqual(place);
});

test('a stream of any text is read as it was written', () => {
  for (const stream of ['cdr-"quoted"\\', 'größe', 'x'.repeat(5_000)]) {
    const text = entryText({ ...place, stream }, event);
    expect(readHeading(text)?.place.stream).toBe(stream);
    expect(readHeading(Buffer.from(text))?.place.stream).toBe(stream);
  }
});

test('what does not begin as an entry is none', () => {
  for (const text of ['', '{}', '{"type":"CdrIssued","ledger":"CA*BCT"}', 'no JSON'])
    expect(readHeading(text)).toBeUndefined();
});

test('the seal of an entry is found wherever its heading puts it, and not taken from another ledger', () => {
  const seals = new Seals('CA*BCT');
  const macOf = (text: string) => {
    const line = Buffer.from(`xx${text}}`);
    return seals.macIn(line, 2, line.length - 1);
  };
  for (const stream of ['cdr-s-1', 'cdr-s-12', 'cdr-s-1', 'größe', 'x'.repeat(200)]) {
    expect(macOf(entryText({ ...place, stream }, { ...event, private: sealed }))).toBe(sealed.mac);
    expect(macOf(entryText({ ...place, stream }, event))).toBe('');
  }
  for (const ledger of ['CA*CPK', 'CA*BC', 'CA*BCTX'])
    expect(macOf(entryText(place, { ...event, ledger, private: sealed }))).toBeUndefined();
  // Its heading has to be read.
  expect(macOf(entryText({ ...place, stream: 'x'.repeat(5_000) }, { ...event, private: sealed }))).toBeUndefined();
  expect(macOf('{"type":"CdrIssued","ledger":"CA*BCT"}')).toBeUndefined();
});
