import { expect, test } from 'vitest';
import { activeSession, beginByCard, metered, sessionsOf, settledAt, stall } from './charge.ts';
import { runRoamwatt } from './program.ts';
import { blakesCard, eventually, type Stage } from './stage.ts';

/** A station that is never there again. */
export function stationThatIsGone(stage: () => Stage): void {
  test('S16-57 a charge whose station is gone for good goes on until the operator ends it: billed by what is known, the reason noted', async () => {
    const { chargers, oasis } = stage();
    const { station, evseUid } = stall(10);
    await beginByCard(stage(), { station, card: blakesCard });
    await metered(stage(), station, 2);
    const { id } = await activeSession(oasis, evseUid);
    const { url, key } = oasis.operator.credentials();
    const close = () =>
      runRoamwatt(['session', 'close', 'CA*BCT', id, '--reason', 'the stall was run over', '--url', url], { ROAMWATT_OPERATOR_KEY: key });
    expect(await close()).toMatchObject({ status: 1, err: expect.stringContaining('station-connected') });
    await chargers.do({ do: 'drop-socket', station, forMs: 3_600_000 });
    await eventually('its station is gone', async () => {
      const { stations } = await oasis.operator.get<{ stations: { station_id: string; connected: boolean }[] }>('/v1/operator/stations');
      return stations.some(({ station_id, connected }) => station_id === station && !connected);
    });
    expect(await sessionsOf(oasis, evseUid)).toMatchObject([{ id, status: 'ACTIVE' }]);
    expect(await close()).toMatchObject({ status: 0, out: 'It is ended. Its CDR follows.\n' });
    const [settled] = await settledAt(stage(), evseUid);
    expect(settled!.session).toMatchObject({ id, status: 'COMPLETED' });
    expect(settled!.cdr.total_energy).toBeGreaterThan(0);
    const { findings } = await oasis.operator.get<{ findings: { code: string; detail: string }[] }>(`/v1/operator/cdrs/CA/BCT/${settled!.cdr.id}`);
    expect(findings).toContainEqual(expect.objectContaining({
      code: 'closed-by-operator', detail: 'the operator ended it, since its station did not say that it stopped: the stall was run over',
    }));
    expect(await close()).toMatchObject({ status: 0, out: 'It was over before.\n' });
  });
}
