// Copies to dist/ what the programs read beside their code and the compiler leaves out.
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './installed.mjs';

const READ_BESIDE_CODE = /\.(sql|json|yaml|html|css|svg|txt)$/;

for (const group of ['libs', 'services']) {
  for (const project of readdirSync(join(root, group))) {
    const from = join(root, group, project, 'src');
    if (!existsSync(from)) continue;
    for (const entry of readdirSync(from, {
      recursive: true,
      withFileTypes: true,
      encoding: 'utf8',
    })) {
      if (!entry.isFile() || !READ_BESIDE_CODE.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      cpSync(path, join(root, 'dist', path.slice(root.length + 1)));
    }
  }
}
