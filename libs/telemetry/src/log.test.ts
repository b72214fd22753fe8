import { expect, test } from 'vitest';
import { type Fields, log, type Level } from './log.ts';

function written(level: Level, human = false) {
  const lines: string[] = [];
  return { lines, log: log('sessions', { level, human, write: (line) => lines.push(line) }) };
}

test('a line says when, how grave, which service and what, as one JSON object', () => {
  const { lines, log } = written('info');
  log.info('session started', { session: 'S1', cdr_token: { uid: '04AB' } });
  const line = JSON.parse(lines[0]!);
  expect(line).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/), level: 'info', service: 'sessions',
    msg: 'session started', session: 'S1', cdr_token: '***',
  });
});

test('lines below the level are not written', () => {
  const { lines, log } = written('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c', 'd']);
});

test('a field cannot take the place of the line\'s own', () => {
  const { lines, log } = written('warn');
  // Unknown fields of elsewhere: those that are written here do not compile.
  log.with({ station: 'CA*BCT*1' }).warn('late', JSON.parse('{"level":"none","service":"other"}') as Fields);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', service: 'sessions', station: 'CA*BCT*1' });
});

test('for a person the same line is text, the stack below it', () => {
  const { lines, log } = written('warn', true);
  log.error('push failed', { partner: 'CA*CPK', error: new Error('refused') });
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ERROR sessions: push failed partner=CA\*CPK\nError: refused\n/);
});
