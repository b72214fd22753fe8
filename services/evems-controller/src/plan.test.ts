import { expect, test } from 'vitest';
import { World } from '../test/world.ts';

const A = 1_000;
const panel = { chargers: 10, limitMa: 192 * A, failSafeMa: 6 * A };

/** The Level-2 panel with so many cars, which came one after the other. */
function panelWith(cars: number, shape = panel): World {
  const world = new World(shape);
  for (let i = 0; i < shape.chargers; i += 1) world.connect(i);
  world.settleAll();
  for (let i = 0; i < cars; i += 1) plug(world, i);
  return world;
}

function plug(world: World, i: number): void {
  world.plug(i);
  world.settleAll();
  world.wait(1_000, () => {});
}

const amps = (world: World) => world.real.map((one) => world.drawnBy(one) / A);
const whyOf = (world: World, i: number) =>
  world.plan().targets.find(({ key }) => key === world.real[i]?.charger.key)?.why;

test('192 A: four cars have all that they can take', () => {
  const world = panelWith(4);
  expect(amps(world)).toEqual([32, 32, 32, 32, 6, 6, 6, 6, 6, 6]);
  expect(world.exposedMa()).toBe(164 * A);
  expect(whyOf(world, 0)).toBe('all it can take: enough for 4 cars');
  expect(whyOf(world, 9)).toBe('no car that charges: kept at its fail-safe 6 A');
});

test('192 A: ten cars have 19 A each, and the two that came first one more', () => {
  const world = panelWith(10);
  expect(amps(world)).toEqual([20, 20, 19, 19, 19, 19, 19, 19, 19, 19]);
  expect(world.exposedMa()).toBe(192 * A);
  expect(whyOf(world, 5)).toBe('fair share of 192 A among 10 cars');
});

test.each([
  [5, [32, 32, 32, 32, 32, 6, 6, 6, 6, 6]],
  [6, [28, 28, 28, 28, 28, 28, 6, 6, 6, 6]],
  [7, [25, 25, 25, 25, 25, 25, 24, 6, 6, 6]],
])('an empty stall keeps its fail-safe free: %i cars', (cars, each) => {
  expect(amps(panelWith(cars))).toEqual(each);
});

test('with a fail-safe of 0 six cars have all they can take', () => {
  const world = panelWith(6, { ...panel, failSafeMa: 0 });
  expect(amps(world)).toEqual([32, 32, 32, 32, 32, 32, 0, 0, 0, 0]);
});

test('who leaves gives room to those who stay', () => {
  const world = panelWith(10);
  for (const i of [0, 1, 2, 3, 4, 5]) world.unplug(i);
  world.settleAll();
  expect(amps(world)).toEqual([6, 6, 6, 6, 6, 6, 32, 32, 32, 32]);
});

test('nobody is raised before the others have come down', () => {
  const world = panelWith(9);
  world.plug(9);
  world.pass();
  expect(world.flights.map(({ order }) => order.limitMa / A)).toEqual([20, 19, 19, 19, 19]);
  expect(world.flights.some(({ order }) => order.key === 'S4/2')).toBe(false);
});

test('a charger out of reach keeps what it may have until its lease is over', () => {
  const world = panelWith(10);
  world.disconnect(0, false);
  world.settleAll();
  expect(whyOf(world, 0)).toBe('out of reach: may still draw 20 A');
  // Both connectors of its station: 20 A each are gone from the 192 A.
  expect(amps(world).slice(2)).toEqual([19, 19, 19, 19, 19, 19, 19, 19]);
  world.wait(130_000, () => {});
  world.settleAll();
  expect(amps(world)).toEqual([6, 6, 23, 23, 23, 23, 22, 22, 22, 22]);
});

test('a charger that refuses to come down is not counted on', () => {
  const world = panelWith(6, { ...panel, failSafeMa: 0 });
  world.plug(6);
  world.settleAll(({ key }) => (key === 'S0/1' ? 'refuse' : 'obey'));
  expect(amps(world)).toEqual([32, 27, 27, 27, 27, 26, 26, 0, 0, 0]);
});

test('a car at the end of its charge gives back what it does not use, where others go short', () => {
  const world = panelWith(10);
  const startedAt = world.platformNow;
  for (const minute of [1, 2, 3, 4]) {
    world.wait(60_000, () => {});
    world.change(9, { drawn: { ma: 4_200, at: startedAt + minute * 60_000 } });
    world.settleAll();
  }
  expect(amps(world)).toEqual([21, 21, 21, 21, 21, 20, 20, 20, 20, 7]);
  expect(whyOf(world, 9)).toBe('draws only 4.2 A: the rest goes to the others');
  world.change(9, { drawn: { ma: 7_000, at: startedAt + 300_000 } });
  world.settleAll();
  expect(amps(world)[9]).toBe(19);
});

test('a car that has paused itself keeps the minimum', () => {
  const world = panelWith(10);
  world.change(0, { wants: 'little' });
  world.settleAll();
  expect(amps(world)).toEqual([6, 21, 21, 21, 21, 21, 21, 20, 20, 20]);
});

test('a charger that draws more than it may is counted with what it draws', () => {
  const world = panelWith(10);
  world.wait(40_000, () => {});
  world.change(9, { drawn: { ma: 32_000, at: world.platformNow } });
  world.settleAll();
  expect(amps(world)).toEqual([18, 18, 18, 18, 18, 18, 18, 17, 17, 19]);
  expect(whyOf(world, 9)).toBe('draws 32 A, more than it may; told 19 A');
});

test('a charger with a car that never accepted a fail-safe counts with all that it can draw', () => {
  const world = new World(panel);
  for (let i = 0; i < 10; i += 1) world.connect(i);
  world.settleAll(({ kind, key }) => (kind === 'fail-safe' && key === 'S0/1' ? 'refuse' : 'obey'));
  expect(world.plan().certainMa).toBe(60 * A);
  world.plug(0);
  for (let i = 2; i < 10; i += 1) world.plug(i);
  world.settleAll(({ kind, key }) => (kind === 'fail-safe' && key === 'S0/1' ? 'refuse' : 'obey'));
  expect(whyOf(world, 0)).toBe('has not accepted a fail-safe limit: counted at all of its 32 A');
  expect(amps(world).slice(1)).toEqual([6, 20, 20, 19, 19, 19, 19, 19, 19]);
});

test('when not all can charge, they take turns', () => {
  const world = panelWith(3, { chargers: 4, limitMa: 13 * A, failSafeMa: 0 });
  expect(amps(world)).toEqual([7, 6, 0, 0]);
  expect(whyOf(world, 2)).toBe('waits for its turn: 13 A do not give 3 cars 6 A each');
  const charging = [];
  for (let quarter = 1; quarter <= 4; quarter += 1) {
    for (let minute = 1; minute <= 15; minute += 1) {
      world.wait(55_000, () => {});
      world.settleAll();
    }
    charging.push(amps(world));
  }
  expect(charging).toEqual([
    [0, 6, 7, 0],
    [7, 0, 6, 0],
    [6, 7, 0, 0],
    [0, 6, 7, 0],
  ]);
});

const always = (limitMa: number, minMa = 0) => (
  { startAt: undefined, durationMs: undefined, minMa, periods: [{ afterMs: 0, limitMa }] });

test('CHP-03: a charging profile is one more limit, and the others get what it leaves', () => {
  const world = panelWith(10);
  world.setProfile(0, always(10 * A));
  world.settleAll();
  expect(amps(world)).toEqual([10, 21, 21, 20, 20, 20, 20, 20, 20, 20]);
  expect(whyOf(world, 0)).toBe('10 A by its charging profile');
  world.setProfile(0, undefined);
  world.settleAll();
  expect(amps(world)).toEqual([20, 20, 19, 19, 19, 19, 19, 19, 19, 19]);
});

test('a charging profile that allows more than the share changes nothing', () => {
  const world = panelWith(10);
  world.setProfile(9, always(32 * A));
  world.settleAll();
  expect(amps(world)[9]).toBe(19);
  expect(whyOf(world, 9)).toBe('fair share of 192 A among 10 cars');
});

test.each([
  ['0 A', always(0)],
  ['less than the 6 A that a car needs', always(5_900)],
  ['less than the min_charging_rate of the car', always(9 * A, 10 * A)],
])('CHP-04: %s is a pause, in which the stall keeps its fail-safe free', (_, profile) => {
  const world = panelWith(10);
  world.setProfile(3, profile);
  world.settleAll();
  expect(amps(world)).toEqual([21, 21, 21, 0, 21, 21, 21, 20, 20, 20]);
  expect(world.exposedMa()).toBe(192 * A);
  expect(whyOf(world, 3)).toBe('paused by its charging profile');
});

test('CHP-04: without a start_date_time it starts with the charge; each period holds until the next, and the duration ends it', () => {
  const world = panelWith(1);
  const periods = [{ afterMs: 0, limitMa: 12_900 }, { afterMs: 600_000, limitMa: 8_000 }];
  world.setProfile(0, { startAt: undefined, durationMs: 900_000, minMa: 0, periods });
  world.settleAll();
  const seen: number[] = [];
  for (const minutes of [1, 8, 3, 5]) {
    world.wait(minutes * 60_000, () => {});
    world.settleAll();
    seen.push(amps(world)[0]!);
  }
  expect(seen).toEqual([12, 12, 8, 32]);
});

test('CHP-04: before its start_date_time a profile limits nothing', () => {
  const world = panelWith(1);
  world.setProfile(0, { ...always(10 * A), startAt: world.platformNow + 300_000 });
  world.settleAll();
  expect(amps(world)[0]).toBe(32);
  world.wait(300_000, () => {});
  world.settleAll();
  expect(amps(world)[0]).toBe(10);
});

const told = (world: World) => world.log.flatMap((event) => (
  event.type === 'ActiveProfileChanged' ? [event.steps.map(({ limitMa }) => limitMa / A)] : []));
const settled = (world: World) => world.log.flatMap((event) => (
  event.type === 'ProfileSettled' ? [`${event.orderId} ${event.obeyed}`] : []));

test('CHP-02: what a charge may draw is told after a profile of it was obeyed, at each change whatever its reason, and never before', () => {
  const world = panelWith(6);
  expect(told(world)).toEqual([]);
  world.setProfile(0, always(25 * A));
  world.settleAll();
  world.pass();
  expect(settled(world)).toEqual(['P1 true']);
  expect(told(world)).toEqual([[25]]);
  // The site leaves it less than the profile does.
  for (const i of [6, 7, 8, 9]) plug(world, i);
  expect(told(world).at(-1)).toEqual([20]);
  // The profile is cleared, and there is room again.
  world.setProfile(0, undefined);
  for (const i of [1, 2, 3, 4, 5]) world.unplug(i);
  world.settleAll();
  expect(told(world).at(-1)).toEqual([32]);
  const count = told(world).length;
  world.wait(60_000, () => {});
  world.settleAll();
  expect(told(world)).toHaveLength(count);
});

test('CHP-02: what is known of the time ahead is told with it, and its coming is no news', () => {
  const world = panelWith(1);
  const periods = [{ afterMs: 0, limitMa: 10 * A }, { afterMs: 300_000, limitMa: 20 * A }];
  world.setProfile(0, { startAt: undefined, durationMs: 600_000, minMa: 0, periods });
  world.settleAll();
  world.pass();
  expect(told(world)).toEqual([[10, 20, 32]]);
  for (const _ of [1, 2]) {
    world.wait(300_000, () => {});
    world.settleAll();
  }
  expect(amps(world)[0]).toBe(32);
  expect(told(world)).toHaveLength(1);
});

test('a profile that its charger does not obey in time counts no more, and what was set before it holds again', () => {
  const world = panelWith(1);
  world.setProfile(0, always(20 * A));
  world.settleAll();
  world.setProfile(0, always(10 * A));
  world.settleAll(({ kind }) => (kind === 'lease' ? 'refuse' : 'obey'));
  world.wait(60_000, () => {});
  world.settleAll();
  world.wait(31_000, () => {});
  world.settleAll();
  expect(settled(world)).toEqual(['P1 true', 'P2 false']);
  expect(amps(world)[0]).toBe(20);
});
