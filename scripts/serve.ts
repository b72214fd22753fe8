import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { argumentsOf, helpOf } from './help.ts';

const { positionals } = argumentsOf('serve', { allowPositionals: true });
const [name = '', ...more] = positionals;
const main = resolve(import.meta.dirname, '../services', name, 'src/main.js');
if (more.length > 0 || !/^[a-z-]+$/.test(name) || !existsSync(main)) {
  const wrong = name === '' ? 'Which service?' : more.length > 0 ? 'One service at a time.' : `There is no service "${name}".`;
  process.stderr.write(`${wrong}\n\n${helpOf('serve')}`);
  process.exit(2);
}
await import(main);
