import { expect, test } from 'vitest';
import { cars, PluggedCar } from './charger-cars.ts';

const offer = (limitA: number) => ({ kind: 'AC' as const, limitA, wattsPerAmp: 208 });
const run = (car: PluggedCar, seconds: number, limitA: number): number[] =>
  Array.from({ length: seconds }, () => car.step(offer(limitA)));

test('a Leaf wakes up, ramps for some seconds, and then takes 6.6 kW', () => {
  const powers = run(new PluggedCar('leaf', 30, 1), 60, 32);
  expect(powers.slice(0, 3)).toEqual([0, 0, 0]);
  expect(powers[3]).toBeGreaterThan(0);
  expect(powers[6]).toBeLessThan(5_000);
  for (const power of powers.slice(20)) {
    expect(power).toBeGreaterThan(6_500);
    expect(power).toBeLessThanOrEqual(6_600);
  }
});

test('power never exceeds what is offered', () => {
  for (const limitA of [6, 8.1, 12, 16, 30]) {
    for (const power of run(new PluggedCar('bolt', 50, limitA), 120, limitA)) {
      expect(power).toBeLessThanOrEqual(limitA * 208);
    }
  }
});

test('below 6 A a car takes nothing, and it wakes up again from 6 A on', () => {
  const car = new PluggedCar('leaf', 30, 1);
  run(car, 30, 32);
  expect(run(car, 5, 5.9)).toEqual([0, 0, 0, 0, 0]);
  expect(run(car, 20, 6).at(-1)).toBeGreaterThan(1_200);
});

test('a lower limit counts at once', () => {
  const car = new PluggedCar('leaf', 30, 1);
  run(car, 30, 32);
  car.obey(offer(10));
  expect(car.powerW).toBeLessThanOrEqual(2_080);
});

test('the same seed gives the same charge, another seed another', () => {
  const one = run(new PluggedCar('leaf', 30, 1), 100, 32);
  expect(run(new PluggedCar('leaf', 30, 1), 100, 32)).toEqual(one);
  expect(run(new PluggedCar('leaf', 30, 2), 100, 32)).not.toEqual(one);
});

test('near full the power falls, and a full car takes nothing', () => {
  const car = new PluggedCar('leaf', 92, 1);
  const powers = run(car, 3 * 3_600, 32);
  expect(Math.max(...powers)).toBeGreaterThan(6_500);
  expect(car.socPercent).toBeGreaterThan(99.9);
  expect(powers.at(-1)).toBe(0);
});

test('a Leaf from 20 to 80 percent needs what a Leaf needs: about 27 kWh and a bit over four hours', () => {
  const car = new PluggedCar('leaf', 20, 1);
  let [seconds, energyWh] = [0, 0];
  for (; car.socPercent < 80; seconds++) energyWh += car.step(offer(32)) / 3_600;
  expect(energyWh).toBeGreaterThan(26_500);
  expect(energyWh).toBeLessThan(28_000);
  expect(seconds / 3_600).toBeGreaterThan(4);
  expect(seconds / 3_600).toBeLessThan(4.4);
});

test('every car has an AC inlet and curves that end at zero', () => {
  for (const car of Object.values(cars)) {
    expect(car.inlets).toContain('J1772');
    expect(car.acCurve.at(-1)).toEqual([100, 0]);
    expect(car.dcCurve.at(-1)).toEqual([100, 0]);
  }
});
