import type { Running } from '#service';
import type { Env } from '#settings';
import { start as startCdrLedger } from '../../cdr-ledger/src/start.ts';
import { start as startEvemsController } from '../../evems-controller/src/start.ts';
import { start as startLocations } from '../../locations/src/start.ts';
import { start as startOcpiGateway } from '../../ocpi-gateway/src/start.ts';
import { start as startOcppGateway } from '../../ocpp-gateway/src/start.ts';
import { start as startPortal } from '../../portal/src/start.ts';
import { start as startSessions } from '../../sessions/src/start.ts';
import { start as startTariffEngine } from '../../tariff-engine/src/start.ts';
import { start as startTokensAuth } from '../../tokens-auth/src/start.ts';
import { checkSections } from './sections.ts';

/** Every service, in the order in which a lone process starts them: who is asked comes first. */
export const services: Readonly<Record<string, (env: Env) => Promise<Running>>> = {
  'tariff-engine': startTariffEngine,
  locations: startLocations,
  'tokens-auth': startTokensAuth,
  'cdr-ledger': startCdrLedger,
  sessions: startSessions,
  'ocpp-gateway': startOcppGateway,
  'evems-controller': startEvemsController,
  'ocpi-gateway': startOcpiGateway,
  portal: startPortal,
};

/** The nine services of a platform in one process; they still talk over NATS only. */
export async function start(env: Env): Promise<Running> {
  checkSections(env);
  const starting = Object.values(services).map((startService) => startService(env));
  const settled = await Promise.allSettled(starting);
  const running = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.allSettled(running.toReversed().map((service) => service.stop()));
  };
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { urls: Object.assign({}, ...running.map((service) => service.urls ?? {})), stop };
}
