import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Folder, jsonLines } from './command.ts';
import { cdr, total } from './examples.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

test('in JSON Lines a broken line is named and does not stop the others', async () => {
  const lines = [cdr, '{"id": "C2", "charging_periods": [', { ...cdr, id: 'C3' }, { id: 'C4' }];
  const text = lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  for (const name of ['cdrs.jsonl', 'cdrs.json']) {
    const { status, out, err } = await folder.run(['price', folder.write(name, text), '--json']);
    expect(status).toBe(1);
    expect(jsonLines(out)).toMatchObject([
      { source: `${name}:1`, total_cost: total },
      { source: `${name}:2`, refused: expect.stringMatching(/^this is no JSON: .*\.$/) as string },
      { source: `${name}:3`, total_cost: total },
      { source: `${name}:4`, refused: expect.stringMatching(/^charging_periods: it has none/) as string },
    ]);
    expect(err).toContain(`${name}:2: this is no JSON`);
    expect(err).toContain(`${name}:4: charging_periods`);
    expect(err).toContain('2 done, 2 refused');
  }
});

test('several objects on one line are read one after the other, and a line that is broken among them is refused as a whole', async () => {
  const of = (id: string) => JSON.stringify({ ...cdr, id });
  const text = `${of('A')}${of('B')} ${of('C')}\n${of('D')}\n${of('E')}{"id": \n${of('F')}`;
  for (const name of ['cdrs.jsonl', 'cdrs.json']) {
    const { out } = await folder.run(['price', folder.write(name, text), '--json']);
    expect(jsonLines(out).map(({ id, source, refused }) => [id, source, refused === undefined])).toEqual([
      ['A', `${name}:1`, true], ['B', `${name}:1`, true], ['C', `${name}:1`, true], ['D', `${name}:2`, true],
      [undefined, `${name}:3`, false], ['F', `${name}:4`, true],
    ]);
  }
});

test.each([
  ['a text', '# Roamwatt\n\nAn open platform, for operators\n', 'begins with # Roamwatt'],
  ['a PDF', '%PDF-1.3\n%\u0007\u009b\n1 0 obj\n<<\n/Type /Page\n>>\n', 'begins with %PDF-1.3'],
])('of %s nothing but its beginning is read', async (_of, text, said) => {
  const { status, out, err } = await folder.run(['price', folder.write('wrong', text)]);
  expect([status, out]).toEqual([1, '']);
  expect(err).toBe(`wrong:1: this is no JSON: it ${said}, and nothing else of it is read. Give a file of OCPI objects.\n`);
});

test('what gzip packed is named as such, whatever the file is called', async () => {
  for (const name of ['cdrs.jsonl', 'cdr.json', 'cdrs.jsonl.gz']) {
    writeFileSync(join(folder.path, name), gzipSync(`${JSON.stringify(cdr)}\n`.repeat(50)));
    const { err, status } = await folder.run(['price', name]);
    expect([status, err.trim()]).toEqual([1, `${name}: it is packed by gzip. Unpack it on the way: zcat FILE | npx roamwatt VERB -.`]);
  }
});

const wide = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
test.each([
  ['of a Windows shell', wide],
  ['with the other order of bytes', (text: string) => wide(text).swap16()],
  ['without its mark', (text: string) => wide(text).subarray(2)],
])('UTF-16 %s is read', async (_of, encoded) => {
  writeFileSync(join(folder.path, 'cdr.json'), encoded(JSON.stringify({ ...cdr, id: 'Zürich' })));
  expect(await folder.json(['price', 'cdr.json'])).toMatchObject([{ id: 'Zürich', total_cost: total }]);
});

test('a list whose first entry is broken is read to its end', async () => {
  const text = `[{"id": 1, "charging_periods" },\n ${JSON.stringify(cdr)}]`;
  const { out, err } = await folder.run(['price', folder.write('cdrs', text), '--json']);
  expect(err).toContain('cdrs:1[0]: this is no JSON');
  expect(jsonLines(out)).toMatchObject([{ source: 'cdrs:1[0]' }, { total_cost: total }]);
});

test('stdin is read by "-", a broken first line included', async () => {
  const text = `{"id": 1, \n${JSON.stringify(cdr)}\n`;
  const { status, out, err } = await folder.program(
    ['price', '-', '--json'],
    `oops}\n${text.split('\n')[1]}\n`,
  );
  expect(err).toContain('(stdin):1: this is no JSON');
  expect(jsonLines(out)).toMatchObject([{ source: '(stdin):1' }, { source: '(stdin):2', total_cost: total }]);
  expect(status).toBe(1);
});

test('a list in a file of many lines is named by the line of each entry', async () => {
  folder.write('cdrs.json', [cdr, { ...cdr, charging_periods: 'none' }, cdr]);
  const { out, err } = await folder.run(['price', 'cdrs.json', '--json']);
  const sources = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { source: string }).source);
  expect(sources[0]).toBe('cdrs.json:2');
  expect(Number(sources[1]!.split(':')[1])).toBeGreaterThan(60);
  expect(err).toMatch(/cdrs\.json:\d+: charging_periods\[0\]: an object expected/);
});

test('the entries of a list on one line are named by their place in it', async () => {
  const list = JSON.stringify([cdr, { ...cdr, charging_periods: 'none' }, cdr]);
  const long = JSON.stringify([{ ...cdr, remark: 'x'.repeat(1 << 20) }, { ...cdr, charging_periods: 'none' }]);
  for (const [name, text] of [['list.json', list], ['data.json', `{"data":${list}}`], ['long.json', long]] as const) {
    const { out, err } = await folder.run(['price', folder.write(name, text), '--json']);
    expect(JSON.parse(out.split('\n')[0]!)).toMatchObject({ source: `${name}:1[0]` });
    expect(err).toMatch(new RegExp(`^${name}:1\\[1\\]: charging_periods\\[0\\]: an object expected`));
  }
});

test('what is nested too deeply to be read is refused by name', async () => {
  const { err, status } = await folder.run(['price', folder.write('deep.json', '['.repeat(200_000) + ']'.repeat(200_000))]);
  expect(status).toBe(1);
  expect(err).toContain('deep.json:1[0]: this is no JSON: it is nested too deeply.');
});

// The specification's examples lie beside the repository, not in it.
const examples = join(import.meta.dirname, '../../../../shared/ocpi/examples');

const files = existsSync(examples) ? readdirSync(examples) : [];
const json = files.filter((name) => name.endsWith('.json')).map((name) => join(examples, name));

// because where they are not at hand none is read, and the run says so
test.skipIf(json.length === 0)('every example of the specification that is at hand is taken or refused by name', async () => {
  const { out, err, status } = await folder.run(['price', ...json, '--json']);
  expect(status).toBe(1);
  const lines = out.trim().split('\n').length + err.trim().split('\n').length - 1;
  expect(lines).toBeGreaterThanOrEqual(json.length);
  expect(err).not.toMatch(/TypeError|undefined|at file:/);
  expect(out).toContain('cdr_example.json:1');
});
