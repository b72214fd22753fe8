import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { getCdr } from '#contracts/cdr-ledger';
import { transactionStarted, transactionStopped } from '#contracts/ocpp-gateway';
import { getTariff, listTariffVersions, publishTariff } from '#contracts/tariff-engine';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Cdr, Tariff } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { accepted, aCharge, bct, card, openWorld, sessionOf, type World } from './sessions-world.ts';

// A tariff that changes between a charge's start and its bill.

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

test('CDR-08 a CDR has the version of its session\'s start, by id and version, whatever was published since', async () => {
  const { bus } = world;
  const atStart = await bus.ask(getTariff, { party: bct, tariffId: 'L2' });
  const was = fromJsonBytes<Tariff>(atStart.tariffJson!);
  const startedAt = rfc3339(instant(atStart.heldSince) + 1);
  const stoppedAt = rfc3339(instant(startedAt) + 3_600_000);
  const dearer = { id: 'L2', currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price: 9, step_size: 1 }] }] };
  expect(await bus.ask(publishTariff, { tariffJson: toJsonBytes(dearer) })).toMatchObject({ version: 2 });

  const charge = aCharge();
  await world.say(
    told(transactionStarted, {
      ...charge, connectorId: 1, idTag: 'TAG', meterStartWh: '1000', startedAt,
      authorization: accepted(card('CARD-V')),
    }),
    told(transactionStopped, { ...charge, connectorId: 1, meterStopWh: '7000', stoppedAt, reason: 'Local' }),
  );
  await expect.poll(() => world.ofKind('ended')).toHaveLength(1);
  const [ended] = world.ofKind('ended');
  expect(ended).toMatchObject({ tariffVersion: 1 });
  const cdrId = `${ended!.sessionId as string}-1`;
  const billed = () => bus.ask(getCdr, { party: bct, cdrId });
  await expect.poll(async () => (await billed()).cdrJson).toBeDefined();
  const cdr = fromJsonBytes<Cdr>((await billed()).cdrJson!);
  expect(cdr.tariffs).toEqual([was]);
  // 6 kWh at 0.20 and an hour at 2.00, not 54.00.
  expect(cdr.total_cost).toEqual({ excl_vat: 3.2, incl_vat: 3.36 });
  const { versions } = await bus.ask(listTariffVersions, { party: bct, tariffId: 'L2', offset: 0, limit: 10 });
  expect(versions.map(({ version }) => version)).toEqual([2, 1]);
});

test('CDR-08 a charge that is told after its Connector got another tariff is billed by the one that it had at the start', async () => {
  const { heldSince } = await world.bus.ask(getTariff, { party: bct, tariffId: 'DEAR' });
  const before = rfc3339(instant(heldSince) + 1);
  await world.nameTariff('L2', 'DEAR');
  const tariffOf = async (uid: string, startedAt: string) => {
    const charge = aCharge('OASIS-L2-02');
    const stoppedAt = rfc3339(instant(startedAt) + 60_000);
    await world.say(
      told(transactionStarted, {
        ...charge, connectorId: 1, idTag: 'TAG', meterStartWh: '1000', startedAt, authorization: accepted(card(uid)),
      }),
      told(transactionStopped, { ...charge, connectorId: 1, meterStopWh: '7000', stoppedAt, reason: 'Local' }),
    );
    const ended = () => world.ofKind('ended').find((fact) => sessionOf(fact).cdr_token.uid === uid);
    await expect.poll(ended).toBeDefined();
    return fromJsonBytes<Tariff>(ended()!.tariffJson as Uint8Array).id;
  };
  expect(await tariffOf('CARD-BEFORE', before)).toBe('L2');
  expect(await tariffOf('CARD-AFTER', rfc3339(instant(before) + 3_600_000))).toBe('DEAR');
});
