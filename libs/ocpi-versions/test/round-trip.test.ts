import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Location, read } from '#ocpi';
import { type Body, type Context, down, type Kind, type OtherVersion, up } from '#ocpi-versions';
import { schemaOf } from '../src/schemas.ts';
import { cdrs, connectors, evses, locations, reservations, sessions, starts, tariffs, tokens } from './arbitrary.ts';
import { differences, isNamed } from './differences.ts';

const now = '2026-02-01T17:00:00Z';
const us = { country_code: 'CA', party_id: 'CPK' };

interface Case {
  readonly body: Body;
  readonly value: object;
  readonly location?: Location;
}

function contextOf({ value, location }: Case): Context {
  const { country_code = 'CA', party_id = 'BCT', token, cdr_token: cdrToken } = value as {
    country_code?: string; party_id?: string; token?: { country_code: string; party_id: string }; cdr_token?: Context['cdrToken'];
  };
  return { owner: token ?? { country_code, party_id }, other: cdrToken ?? us, now, location, cdrToken };
}

const of = (kind: Kind) => (value: object): Case => ({ body: { kind }, value });
const cases: fc.Arbitrary<Case> = fc.oneof(
  locations.map(of('location')),
  evses.map(of('evse')),
  connectors.map(of('connector')),
  tariffs.map(of('tariff')),
  tokens.map(of('token')),
  sessions.map(({ session, location }): Case => ({ body: { kind: 'session' }, value: session, location })),
  cdrs.map(of('cdr')),
  starts.map(of('START_SESSION')),
  reservations.map(of('RESERVE_NOW')),
);

const versions: readonly OtherVersion[] = ['2.1.1', '2.3.0'];

test.each(versions)('what goes to %s is by its letter, and comes back as it was save what is named', (version) => {
  let carried = 0;
  fc.assert(fc.property(cases, (one) => {
    const context = contextOf(one);
    const there = down(version, one.body, one.value, context);
    if (!there.ok) {
      expect(there.message).not.toBe('');
      return;
    }
    carried += 1;
    expect(read(schemaOf(version, one.body), there.value, version)).toMatchObject({ ok: true });
    const wire = JSON.parse(JSON.stringify(there.value)) as unknown;
    const back = up(version, one.body, wire, context);
    if (!back.ok) throw new Error(`${one.body.kind}: ${back.message}`);
    const unnamed = differences(one.value, back.value).filter((path) => !isNamed(path, [...there.lost, ...back.lost]));
    expect(unnamed, JSON.stringify({ lost: there.lost, wire })).toEqual([]);
  }), { numRuns: 400 });
  expect(carried).toBeGreaterThan(200);
});

test('2.3.0 carries everything of 2.2.1', () => {
  fc.assert(fc.property(cases, (one) => {
    const context = contextOf(one);
    const there = down('2.3.0', one.body, one.value, context);
    if (!there.ok) throw new Error(there.message);
    const back = up('2.3.0', one.body, there.value, context);
    if (!back.ok) throw new Error(back.message);
    expect([there.lost, back.lost]).toEqual([[], []]);
    expect(differences(one.value, back.value)).toEqual([]);
  }), { numRuns: 150 });
});

test('no conversion throws, whatever comes in', () => {
  const kinds: readonly Kind[] = [
    'location',
    'evse',
    'connector',
    'session',
    'cdr',
    'tariff',
    'token',
    'authorization',
    'references',
    'START_SESSION',
    'RESERVE_NOW',
    'credentials',
    'response',
    'result',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...versions),
      fc.constantFrom(...kinds),
      fc.boolean(),
      cases,
      fc.jsonValue(),
      fc.nat(),
      (version, kind, patch, { value }, odd, at) => {
        const keys = Object.keys(value);
        const broken = { ...value, [keys[at % keys.length]!]: odd };
        for (const given of [odd, broken]) {
          for (const convert of [up, down]) {
            const made = convert(version, { kind, patch }, given, { owner: us, other: us, now });
            if (!made.ok) expect(made.message).toMatch(/./);
          }
        }
      },
    ),
    { numRuns: 800 },
  );
});
