import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner } from '#contracts/ocpi-gateway';
import { conformance } from '#ocpi-conformance';
import { ocpi, openSide, type Side } from './side.ts';

let hub: Side;

beforeAll(async () => {
  hub = await openSide({
    party: { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'] },
    hub: {},
    ocpi: { ...ocpi, request_timeout_ms: 4_000 },
  });
});
afterAll(() => hub?.close());

test('a hub of ours keeps every rule that the conformance kit can see', async () => {
  const { tokenA: token, versionsUrl } = await hub.neighbours.bus.ask(invitePartner, {
    name: 'Kit',
    parties: [{ party: { countryCode: 'CA', partyId: 'KIT' } }, { party: { countryCode: 'CA', partyId: 'KI2' } }],
  });
  const { tokenA: memberToken } = await hub.neighbours.bus.ask(invitePartner, {
    name: 'Another member',
    parties: [{ party: { countryCode: 'CA', partyId: 'KI4' } }],
  });
  const { verdicts, roles } = await conformance({
    versionsUrl,
    token,
    party: { country_code: 'CA', party_id: 'KIT' },
    patienceMs: 200,
    timeoutMs: 60_000,
    memberToken,
  });
  expect(
    verdicts.flatMap(({ rule, findings }) =>
      findings.map(({ expected, request, response }) => `${rule}: ${expected}\n${request}\n${response}`),
    ),
  ).toEqual([]);
  expect(roles).toEqual(['HUB CA*HUB']);
  const passed = verdicts.filter(({ verdict }) => verdict === 'pass').map(({ rule }) => rule);
  for (const rule of [
    'TRN-81',
    'HUB-04',
    'HUB-10',
    'HUB-11',
    'HUB-12',
    'HUB-13',
    'HUB-15',
    'HUB-16',
    'HUB-17',
    'HUB-18',
    'HUB-19',
    'HUB-20',
    'HUB-23',
    'HCI-01',
    'HCI-04',
  ])
    expect(passed).toContain(rule);
});
