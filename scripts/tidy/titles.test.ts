import { expect, test } from 'vitest';
import { unproven } from './conformance.ts';
import { titlesOf } from './titles.ts';
import { rules } from '../../libs/ocpi-conformance/src/rules.ts';

test.each<[string, string]>([
  ['test(\'a\', () => {});', 'a'],
  ['test("it\'s", () => {});', 'it\'s'],
  ['test(\'a \\\'b\\\'\', () => {});', 'a \'b\''],
  ['test(\n  `a`,\n  async () => {},\n);', 'a'],
  ['test.each([[\'x)\', 1], ["y(", 2]])(\'a %s\', () => {});', 'a %s'],
  ['test.each<[string, () => void]>([\n  [\'x\', () => f({})], // not "this\n])(\'a\', () => {});', 'a'],
  ['describe(\'a\', () => {});', 'a'],
])('the title of %j', (source, title) => {
  expect(titlesOf(source).map(({ text }) => text)).toEqual([title]);
});

test('what is no test has no title', () => {
  expect(titlesOf('form.test(\'TRN-01\'); latest(\'TRN-02\'); test(name, fn); const test = "test(\'TRN-03\')";')).toEqual([]);
});

test('a title says on which line it stands', () => {
  expect(titlesOf('\n\ntest(\'a\', f);\ntest(\'b\', f);')).toEqual([{ text: 'a', line: 3 }, { text: 'b', line: 4 }]);
});

test('a rule that must hold is proven or excused, and not both', () => {
  const musts = rules.filter(({ strength }) => strength === 'M').map(({ id }) => id);
  const proofs = new Map(musts.slice(2).map((id) => [id, [{ path: 'x.test.ts', title: id }]]));
  const [first = '', second = '', third = ''] = musts;
  const said = unproven(proofs, { [first]: 'is being built', [third]: 'was being built', 'TRN-00': 'no reason' }).map(
    ({ what }) => what.slice(0, 6),
  );
  expect(said).toEqual([second, third, 'TRN-00']);
});
