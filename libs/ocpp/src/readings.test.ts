import { expect, test } from 'vitest';
import type { SampledValue16 } from './core16.ts';
import { readings } from './readings.ts';

const timestamp = '2022-02-01T17:00:00Z';
const at = Date.parse(timestamp);
const one = (...sampledValue: SampledValue16[]) => readings([{ timestamp, sampledValue }])[0];

test('S16-28: a bare value is the energy register in Wh, sampled periodically', () => {
  expect(one({ value: '12345' })).toEqual({ at, context: 'Sample.Periodic', energyWh: '12345' });
});

test('S16-30: units are converted by their name, exactly', () => {
  const reading = one(
    { value: '7.2501', unit: 'kWh' },
    { value: '6.6', measurand: 'Power.Active.Import', unit: 'kW' },
    { value: '31.9', measurand: 'Current.Import', unit: 'A', phase: 'L1' },
    { value: '31.8', measurand: 'Current.Import', unit: 'A', phase: 'L2' },
    { value: '208', measurand: 'Voltage', unit: 'V', phase: 'L1-L2' },
    { value: '55', measurand: 'SoC', unit: 'Percent', location: 'EV' },
  );
  expect(reading).toEqual({
    at,
    context: 'Sample.Periodic',
    energyWh: '7250.1',
    powerW: '6600',
    currentMa: { L1: 31_900, L2: 31_800 },
    voltageV: '208',
    socPercent: '55',
  });
});

test('one reading for each context at the same timestamp', () => {
  const both = readings([
    {
      timestamp,
      sampledValue: [
        { value: '1', context: 'Transaction.Begin' },
        { value: '2', context: 'Sample.Clock' },
      ],
    },
  ]);
  expect(both.map((reading) => [reading.context, reading.energyWh])).toEqual([
    ['Transaction.Begin', '1'],
    ['Sample.Clock', '2'],
  ]);
});

test('M-31: phases are added only when no total is given', () => {
  const phases: SampledValue16[] = ['L1', 'L2', 'L3'].map((phase) => ({ value: '100.1', phase }));
  expect(one(...phases)?.energyWh).toBe('300.3');
  expect(one(...phases, { value: '300' })?.energyWh).toBe('300');
});

test('T-19: an empty word is none, and its letters may be small or capital', () => {
  const all = { context: '', format: '', measurand: '', phase: '', location: '', unit: '' };
  expect(one({ value: '5', ...all })).toEqual({ at, context: 'Sample.Periodic', energyWh: '5' });
  const small = { format: 'raw', measurand: 'energy.active.import.register', location: 'outlet' };
  expect(one({ value: '5', ...small, unit: 'kwh', phase: 'l1-n' }, { value: '1', ...small, unit: 'WH', phase: 'L2' })?.energyWh).toBe('5001');
});

test('what is measured at a place that OCPP does not know counts where nothing else is measured', () => {
  expect(one({ value: '9', location: 'Upstream' })?.energyWh).toBe('9');
  expect(one({ value: '9', location: 'Upstream' }, { value: '8', location: 'EV' })?.energyWh).toBe('8');
});

test('a station that makes a MeterValue of each sampled value says one reading', () => {
  const said = (sampled: SampledValue16) => ({ timestamp, sampledValue: [sampled] });
  const phases = (measurand: string, unit: string, values: string[]) =>
    values.map((value, n) => said({ value, measurand, unit, phase: `L${n + 1}` }));
  const all = readings([
    ...phases('Power.Active.Import', 'W', ['3000', '0', '100']),
    said({ value: '506121', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }),
    ...phases('Current.Import', 'A', ['13', '0', '1']),
    said({ value: '230', measurand: 'Voltage', unit: 'V', phase: 'L1' }),
  ]);
  const currentMa = { L1: 13_000, L2: 0, L3: 1000 };
  expect(all).toEqual([
    { at, context: 'Sample.Periodic', energyWh: '506121', powerW: '3100', currentMa, voltageV: '230' },
  ]);
});

test('the same quantity said again for an instant is a reading of its own', () => {
  const again = readings(['7', '8'].map((value) => ({ timestamp, sampledValue: [{ value }] })));
  expect(again.map(({ energyWh }) => energyWh)).toEqual(['7', '8']);
});

test('a register that is said of N alone is the whole', () => {
  expect(one({ value: '8077', unit: 'Wh', phase: 'N' })?.energyWh).toBe('8077');
  expect(one({ value: '9', phase: 'N' }, { value: '8077', phase: 'L1' })?.energyWh).toBe('8077');
});

test('the outlet counts before the inlet', () => {
  expect(one({ value: '9', location: 'Inlet' }, { value: '8' })?.energyWh).toBe('8');
  expect(one({ value: '9', location: 'Inlet' })?.energyWh).toBe('9');
});

test('S16-31: signed data is never read as a number', () => {
  expect(one({ value: '12345', format: 'SignedData' })).toBeUndefined();
});

test.each([
  { value: 'n/a' },
  { value: '5', unit: 'Celcius' },
  { value: '5', measurand: 'Energy.Active.Import.Interval' },
  { value: '5', measurand: 'Power.Active.Import', unit: 'VA' },
  { value: '5', measurand: 'Made.Up' },
  { value: '5', measurand: 'constructor' },
  { value: '5', unit: 'constructor' },
  { value: '1e99' },
  { value: '-1e13' },
  { value: '1e-99' },
  { value: 'NaN' },
  { value: '5e6', measurand: 'Current.Import', unit: 'A' },
])('what is not understood is left out: %j', (sample) => {
  expect(one(sample)).toBeUndefined();
  expect(one(sample, { value: '1' })?.energyWh).toBe('1');
});

test('a sample without a readable time is left out', () => {
  expect(readings([{ timestamp: 'yesterday', sampledValue: [{ value: '1' }] }])).toEqual([]);
});
