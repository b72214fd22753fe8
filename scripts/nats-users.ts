import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { permissionsOf, type Talks } from '#bus';
import { checkoutRoot, type NatsUser, userText } from '#servers';
import { argumentsOf } from './help.ts';

/** A user for each service of a platform, with what it may publish and subscribe to. */
export function natsUsers(platform: string): NatsUser[] {
  const talks = JSON.parse(readFileSync(join(checkoutRoot(), 'deploy/talks.json'), 'utf8')) as Record<string, Talks>;
  return Object.entries(talks).map(([name, talk]) => ({ name, ...permissionsOf(platform, name, talk) }));
}

if (import.meta.main) {
  const { values } = argumentsOf('nats-users', {
    options: { platform: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const platform = values.platform ?? process.env['ROAMWATT_PLATFORM'];
  if (!platform) {
    console.error('nats-users: say which platform: --platform NAME, as its ROAMWATT_PLATFORM is');
    process.exit(2);
  }
  const users = natsUsers(platform);
  const variable = (name: string) => `NATS_${name.toUpperCase().replaceAll('-', '_')}`;
  if (values.json) console.log(JSON.stringify(users, undefined, 2));
  else console.log(`authorization {\n  users: [\n${users.map((user) => `    ${userText(user, `$${variable(user.name)}`)}\n`).join('')}  ]\n}`);
}
