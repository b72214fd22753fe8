import { expect, test } from 'vitest';
import fc from 'fast-check';
import { fold } from '#decider';
import { type ChargerLimits, limits, type SiteLimits } from '../src/limits.ts';
import type { Profile } from '../src/profile.ts';
import type { SiteShape } from './site-of.ts';
import { type Owner, World } from './world.ts';

const shapes = fc
  .record({
    chargers: fc.integer({ min: 2, max: 6 }),
    failSafeA: fc.constantFrom(0, 6, 8),
    spareA: fc.integer({ min: 6, max: 60 }),
  })
  .map(({ chargers, failSafeA, spareA }): SiteShape => ({
    chargers,
    failSafeMa: failSafeA * 1000,
    limitMa: (chargers * failSafeA + spareA) * 1000,
  }));

type Run = (world: World, check: () => void) => void;
interface Happening {
  readonly run: Run;
  /** How fast-check shows it. */
  toString(): string;
}

const named = (name: string, run: Run): Happening => ({ run, toString: () => name });

/** So much of what happens is this, with some number. */
function often(weight: number, name: string, make: (n: number) => Run) {
  return { weight, arbitrary: fc.nat(9).map((n) => named(`${name} ${n}`, make(n))) };
}

function waits(weight: number, fromMs: number, toMs: number) {
  const make = (ms: number) => named(`wait ${ms}`, (world, check) => world.wait(ms, check));
  return { weight, arbitrary: fc.integer({ min: fromMs, max: toMs }).map(make) };
}

const clockIsSet = {
  weight: 1,
  arbitrary: fc
    .tuple(fc.integer({ min: -3_600_000, max: 3_600_000 }), fc.boolean())
    .map(([ms, follow]) => named(`clock ${ms} ${follow}`, (world) => world.stepClock(ms, follow))),
};

/** Some of them pauses, with the end before or after what is set next. */
const profile: fc.Arbitrary<Profile> = fc.record({
  startAt: fc.constant(undefined),
  durationMs: fc.option(fc.integer({ min: 1_000, max: 600_000 }), { nil: undefined }),
  minMa: fc.constantFrom(0, 0, 8_000),
  periods: fc
    .array(fc.record({ afterMs: fc.integer({ min: 0, max: 300_000 }), limitMa: fc.integer({ min: 0, max: 40_000 }) }), { maxLength: 4 })
    .map((periods) => periods.toSorted((a, b) => a.afterMs - b.afterMs)),
});

const profileIsSet = {
  weight: 4,
  arbitrary: fc
    .tuple(fc.nat(9), fc.option(profile, { nil: undefined, freq: 6 }))
    .map(([n, given]) => named(`profile ${n} ${JSON.stringify(given)}`, (world) => world.setProfile(n, given))),
};

/** What may happen at a site, in any order; the owner's passes and obedient chargers most often. */
const happening: fc.Arbitrary<Happening> = fc.oneof(
  often(10, 'pass', () => (world) => world.pass()),
  often(8, 'obey', (n) => (world) => world.settle(n, 'obey')),
  often(2, 'obey late', (n) => (world) => world.settle(n, 'obey-late')),
  often(1, 'obey silently', (n) => (world) => world.settle(n, 'obey-silently')),
  often(1, 'lose', (n) => (world) => world.settle(n, 'lose')),
  often(1, 'refuse', (n) => (world) => world.settle(n, 'refuse')),
  often(1, 'catch up', (n) => (world) => world.catchUp(`S${n % world.stations.size}`)),
  often(4, 'plug', (n) => (world) => world.plug(n)),
  profileIsSet,
  often(2, 'unplug', (n) => (world) => world.unplug(n)),
  often(3, 'connect', (n) => (world) => world.connect(n)),
  often(1, 'disconnect', (n) => (world) => world.disconnect(n, n % 2 === 0)),
  often(1, 'reboot', (n) => (world) => world.reboot(n)),
  often(1, 'new owner', () => (world) => world.changeOwner()),
  waits(3, 100, 40_000),
  waits(1, 40_000, 400_000),
  clockIsSet,
);

function neverAbove(owner: Owner = {}) {
  return fc.property(
    shapes,
    fc.array(happening, { minLength: 20, maxLength: 150, size: 'max' }),
    (shape, happenings) => {
      const world = new World(shape, owner);
      const check = () => {
        const drawnMa = world.drawnMa();
        if (drawnMa > shape.limitMa) throw new Error(`${drawnMa} mA of ${shape.limitMa} mA`);
      };
      // Everyone is there at first, or the runs are spent on waiting for connections.
      for (const i of world.real.keys()) world.connect(i);
      for (const happens of happenings) {
        happens.run(world, check);
        check();
      }
    },
  );
}

const LONG_MS = 600_000;
/** Many more of them, for a night: EVEMS_RUNS=1000000. */
const RUNS = Number(process.env['EVEMS_RUNS'] ?? 3_000);

test('whatever happens, the chargers may never draw more than the feeder carries', () => {
  fc.assert(neverAbove(), { numRuns: RUNS });
}, LONG_MS);

test('every limit told is 0, or from the minimum to what the charger can take', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(happening, { maxLength: 80, size: 'max' }),
      (shape, happenings) => {
        const world = new World(shape);
        for (const happens of happenings) happens.run(world, () => {});
        for (const event of world.log) {
          if (event.type !== 'LimitTold') continue;
          expect(event.limitMa === 0 || (event.limitMa >= 6_000 && event.limitMa <= 32_000)).toBe(
            true,
          );
        }
      },
    ),
    { numRuns: RUNS / 10 },
  );
}, LONG_MS);

test('CHP-03: whatever happens, nobody is told more than the charging profile of the charge allows', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(happening, { minLength: 20, maxLength: 80, size: 'max' }),
      (shape, happenings) => {
        const world = new World(shape);
        for (const i of world.real.keys()) world.connect(i);
        for (const happens of happenings) {
          happens.run(world, () => {});
          for (const order of world.pass()) {
            if (order.kind !== 'lease') continue;
            const i = world.real.findIndex(({ charger }) => charger.key === order.key);
            expect(order.limitMa).toBeLessThanOrEqual(world.capMa(i));
          }
        }
      },
    ),
    { numRuns: RUNS / 10 },
  );
}, LONG_MS);

test('CHP-03: a profile that nobody looked at until it was too late is not obeyed for a moment either', () => {
  const world = new World({ chargers: 2, limitMa: 40_000, failSafeMa: 0 });
  const most = (limitMa: number): Profile =>
    ({ startAt: 0, durationMs: undefined, minMa: 0, periods: [{ afterMs: 0, limitMa }] });
  for (const i of world.real.keys()) world.connect(i);
  world.plug(0);
  world.setProfile(0, most(0));
  world.settleAll();
  world.setProfile(0, most(16_000));
  world.wait(60_000, () => {});
  world.settleAll();
  expect(world.log.flatMap((event) => (event.type === 'ProfileSettled' ? [event.obeyed] : []))).toEqual([true, false]);
  expect(world.log.some((event) => event.type === 'LimitTold' && event.limitMa > 0)).toBe(false);
});

test('when all is calm again, every charger has the share that it should', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(happening, { maxLength: 60, size: 'max' }),
      (shape, happenings) => {
        const world = new World(shape);
        for (const happens of happenings) happens.run(world, () => {});
        world.calmDown();
        const { targets, exposedMa } = world.lastPlan;
        expect(exposedMa).toBeLessThanOrEqual(shape.limitMa);
        for (const { key, targetMa } of targets) {
          const real = world.real.find((one) => one.charger.key === key);
          expect(real && world.drawnBy(real)).toBe(targetMa);
        }
      },
    ),
    { numRuns: RUNS / 5 },
  );
}, LONG_MS);

test('the log tells a new owner no less than what any charger may draw by its leases', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(happening, { maxLength: 80, size: 'max' }),
      (shape, happenings) => {
        const world = new World(shape);
        for (const happens of happenings) {
          happens.run(world, () => {});
          const { chargers } = fold(limits, world.log);
          for (const one of world.real) {
            const assumedMa = chargers.get(one.charger.key)?.assumedMa ?? [];
            expect(Math.max(shape.failSafeMa, ...assumedMa)).toBeGreaterThanOrEqual(
              world.drawnBy(one),
            );
          }
        }
      },
    ),
    { numRuns: RUNS / 10 },
  );
}, LONG_MS);

/** Each of these owners is wrong in one thing; a property that lets one of them pass proves nothing. */
const mutants: Record<string, Owner> = {
  'raises before the others have come down': { isHasty: true },
  'takes no answer for a no': { hears: (it) => (it === 'unknown' ? 'refused' : it) },
  'takes no answer for a yes': { hears: (it) => (it === 'unknown' ? 'accepted' : it) },
  'knows only the last limit told when it takes over': {
    reads: (log) => eachCharger(log, (one) => ({ ...one, assumedMa: [one.toldMa ?? 0] })),
  },
  'takes over as if nobody had told anything': {
    reads: (log) => eachCharger(log, (one) => ({ ...one, assumedMa: [] })),
  },
  'believes a clock that was set': { looks: ({ at }) => ({ at, watch: at }) },
};

test.each(Object.keys(mutants))('an owner that %s is caught', (name) => {
  // Always the same cases: this is about the mutant, not about luck.
  const cases = { numRuns: 50_000, seed: 2, endOnFailure: true };
  const run = fc.check(neverAbove(mutants[name]), cases);
  expect(run.failed).toBe(true);
}, LONG_MS);

function eachCharger(log: SiteLimits, change: (one: ChargerLimits) => ChargerLimits): SiteLimits {
  return { ...log, chargers: new Map([...log.chargers].map(([key, one]) => [key, change(one)])) };
}

test('a lease lasts longer where the clock is set back, and its room is not given away before', () => {
  const world = new World({ chargers: 3, limitMa: 12_000, failSafeMa: 0 });
  for (const i of [0, 2]) world.connect(i);
  world.plug(0);
  world.settleAll();
  world.wait(50_000, () => {});
  world.unplug(0);
  world.plug(2);
  world.stepClock(-60_000, true);
  for (let round = 0; round < 10; round += 1) {
    world.settleAll(({ stationId }) => (stationId === 'S0' ? 'lose' : 'obey'));
    world.wait(20_000, () => expect(world.drawnMa()).toBeLessThanOrEqual(12_000));
  }
  expect(world.drawnBy(world.real[2]!)).toBe(12_000);
});
