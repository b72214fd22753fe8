import { resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { serviceNames } from './platform.ts';

const HELP = `Runs one service with the servers that the environment names.

  npm run serve -- <service>       ${serviceNames.join(', ')}, or all-in-one

  ROAMWATT_PLATFORM   names the platform in every subject, such as oasis
  ROAMWATT_CONFIG     path of its roamwatt.yaml (npm start makes an example)
  ROAMWATT_SECRET     at least 32 random characters, the same for every service and start
  DATABASE_URL        postgres://…, the platform's database; DATABASE_ADMIN_URL where migrations need another login
  NATS_URL            nats://…, one server with JetStream or several with commas between
  OCPI_PORT, OCPP_PORT, PORTAL_PORT, HOST, OCPI_PUBLIC_URL   where ocpi-gateway, ocpp-gateway and portal listen

  ROAMWATT_PLATFORM=oasis ROAMWATT_CONFIG=roamwatt.yaml ROAMWATT_SECRET=… DATABASE_URL=… NATS_URL=… npm run serve -- sessions`;

const [name = ''] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  console.log(HELP);
  process.exit(0);
}
const main = resolve(import.meta.dirname, '../services', name, 'src/main.js');
if (!/^[a-z-]+$/.test(name) || !existsSync(main)) {
  console.error(`There is no service "${name}".\n\n${HELP}`);
  process.exit(2);
}
await import(main);
