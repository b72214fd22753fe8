import type { Credentials } from '#ocpi';
import type { Handlers, OcpiRequest } from './exchange.ts';
import type { Partners } from './partners/partners.ts';
import { refuse } from './refusals.ts';
import { listedEndpoints } from './versions.ts';

/** The configuration modules: versions and credentials. VER, CRE. */
export function configurationHandlers(partners: Partners, publicUrl: () => string): Handlers {
  const register = async (request: OcpiRequest) => {
    const { caller } = request;
    if (caller.kind !== 'registration') throw refuse('already-registered', 'you are registered: PUT new credentials instead');
    request.afterAnswer(() => partners.wake());
    return { data: await partners.accept(caller, request.body as Credentials, request.version) };
  };
  const registered = ({ caller }: OcpiRequest) => {
    if (caller.kind === 'registration') throw refuse('not-registered', 'you are not registered: POST your credentials first');
    return caller;
  };
  return {
    'SENDER versions GET ': async () => ({
      data: partners.versions.map((version) => ({ version, url: `${publicUrl()}/ocpi/${version}` })),
    }),
    'SENDER versions GET /:version': async ({ params, caller }) => {
      const version = partners.versions.find((one) => one === params.version);
      if (!version) throw refuse('not-found', `version ${params.version} is not spoken here`);
      return { data: { version, endpoints: listedEndpoints(version, partners.interfacesFor(caller.partner), publicUrl()) } };
    },
    'SENDER credentials GET ': async ({ caller }) => ({ data: partners.credentials(caller.token) }),
    'SENDER credentials POST ': register,
    'SENDER credentials PUT ': async (request) => ({
      data: await partners.renew(registered(request), request.body as Credentials, request.version),
    }),
    'SENDER credentials DELETE ': async (request) => {
      await partners.end(registered(request));
      return {};
    },
  };
}
