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
