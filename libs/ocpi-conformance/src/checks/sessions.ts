import { type ChargingPeriod, instantMs, type Session } from '#ocpi';
import { type Bench, ok } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeNotThere, judgeRefused, judgeTaken, sameJson, stopAtUnknown } from '../judging.ts';
import { kitSession } from '../objects.ts';
import { pushing } from './pushed.ts';

/** The Receiver interface of Sessions. */
export const receivedSessions: Check = {
  name: 'sessions: PUT, PATCH and GET',
  of: ['sessions', 'RECEIVER'],
  writes: 'two Sessions of a made-up token, KIT-…-SESSION and KIT-…-RESERVED. They cannot be deleted: they end COMPLETED and INVALID',
  rules: ['TRN-07', 'TRN-10', 'TRN-30', 'TRN-71', 'TRN-90', 'SES-01', 'SES-02', 'SES-03', 'SES-04', 'SES-07', 'SES-08', 'SES-10'],
  run,
};

async function run(bench: Bench): Promise<void> {
  const session = kitSession(bench, 'SESSION');
  const { call, foreignUrl } = pushing(bench, 'sessions', session.id);
  const startMs = instantMs(session.start_date_time)!;
  const period = (minute: number, kwh: number): ChargingPeriod => ({
    start_date_time: new Date(startMs + minute * 60_000).toISOString().replace('.000Z', 'Z'), dimensions: [{ type: 'ENERGY', volume: kwh }],
  });
  const held = async () => {
    const seen = await call('GET');
    return {
      seen,
      session: ok(seen) ? (seen.data as Session) : undefined,
      periods: (ok(seen) && (seen.data as Session | undefined)?.charging_periods) || [],
    };
  };

  judgeNotThere(bench, 'TRN-30', 'PATCH of a Session that was never pushed', await call('PATCH', { kwh: 1, last_updated: bench.tick() }));
  const begun = await call('PUT', { ...session, charging_periods: [period(0, 1)] });
  stopAtUnknown(begun, 'a Session');
  if (!judgeTaken(bench, 'SES-01', 'PUT of a new Session', begun)) return;
  const first = await held();
  bench.judge(
    'SES-08',
    first.session !== undefined && (first.session.total_cost ?? null) === null,
    'no total_cost: it is not known',
    first.seen,
  );
  judgeTaken(
    bench,
    'SES-03',
    'PATCH of a Session',
    await call('PATCH', { kwh: 3, charging_periods: [period(1, 2)], last_updated: bench.tick() }),
  );
  const appended = await held();
  bench.judge(
    'SES-03',
    sameJson(appended.periods, [period(0, 1), period(1, 2)]),
    'the charging periods of the PATCH behind those that were there',
    appended.seen,
  );
  await call('PATCH', { kwh: 3.5, charging_periods: [], last_updated: bench.tick() });
  const same = await held();
  bench.judge(
    'SES-03',
    same.periods.length === appended.periods.length,
    'the charging periods as they were after a PATCH with none',
    same.seen,
  );
  judgeTaken(
    bench,
    'SES-02',
    'PUT of a known Session',
    await call('PUT', { ...session, kwh: 4, charging_periods: [period(2, 4)], last_updated: bench.tick() }),
  );
  const replaced = await held();
  bench.judge('SES-02', sameJson(replaced.periods, [period(2, 4)]), 'the charging periods of the PUT alone', replaced.seen);
  await refusals(bench, session, call, foreignUrl);
  await finals(bench, session, call);
  await reservation(bench);
}

type Call = ReturnType<typeof pushing>['call'];

async function refusals(bench: Bench, session: Session, call: Call, foreignUrl: string): Promise<void> {
  const whole = () => ({ ...session, last_updated: bench.tick() });
  judgeRefused(bench, 'SES-04', 'PATCH of a Session without last_updated', await call('PATCH', { kwh: 9 }), 2001);
  judgeRefused(bench, 'SES-10', 'PUT of a Session without currency', await call('PUT', { ...whole(), currency: undefined }), 2001);
  judgeRefused(bench, 'TRN-71', 'PUT of a Session under the id of another', await call('PUT', { ...whole(), id: bench.id('OTHER') }), 2001);
  const foreign = await call('PUT', { ...whole(), country_code: 'NL', party_id: 'ZZZ' }, foreignUrl);
  bench.judge('TRN-07', !ok(foreign), 'a Session of a party that is none of our roles is refused', foreign);
  judgeNotOffered(bench, 'SES-01', 'DELETE of a Session', await call('DELETE'));
}

async function finals(bench: Bench, session: Session, call: Call): Promise<void> {
  const end = { status: 'COMPLETED', end_date_time: bench.tick(), total_cost: { excl_vat: 0 } };
  judgeTaken(bench, 'SES-01', 'a Session ends by PATCH', await call('PATCH', { ...end, last_updated: bench.tick() }));
  const after = await call('PATCH', { kwh: 99, last_updated: bench.tick() });
  const held = await call('GET');
  bench.judge(
    'SES-01',
    (held.data as Session | undefined)?.kwh !== 99,
    `the Session ${session.id} as it was: COMPLETED is final (the PATCH was answered ${after.http}, ${after.status})`,
    held,
  );
}

async function reservation(bench: Bench): Promise<void> {
  const reserved = { ...kitSession(bench, 'RESERVED'), status: 'RESERVATION' as const, evse_uid: '#NA', connector_id: '#NA' };
  const { call } = pushing(bench, 'sessions', reserved.id);
  judgeTaken(bench, 'SES-07', 'a reservation whose EVSE is "#NA"', await call('PUT', reserved));
  judgeRefused(
    bench,
    'TRN-90',
    'a Session that runs at the EVSE "#NA"',
    await call('PUT', { ...reserved, status: 'ACTIVE', last_updated: bench.tick() }),
    2001,
  );
  await call('PATCH', { status: 'INVALID', last_updated: bench.tick() });
}
