import type { Credentials } from '#ocpi';
import { interfacePath, type Handlers, type OcpiRequest } from './exchange.ts';
import { ourVersions } from './handshake.ts';
import type { Partners } from './partners.ts';
import { refuse } from './refusals.ts';

/** The configuration modules: versions and credentials. VER, CRE. */
export function configurationHandlers(partners: Partners, publicUrl: () => string): Handlers {
  const register = async (request: OcpiRequest) => {
    const { caller } = request;
    if (caller.kind !== 'registration') throw refuse('already-registered', 'you are registered: PUT new credentials instead');
    request.afterAnswer(() => partners.wake());
    return { data: await partners.accept(caller, request.body as Credentials) };
  };
  const registered = ({ caller }: OcpiRequest) => {
    if (caller.kind === 'registration') throw refuse('not-registered', 'you are not registered: POST your credentials first');
    return caller;
  };
  return {
    'SENDER versions GET ': async () => ({
      data: ourVersions.map((version) => ({ version, url: `${publicUrl()}/ocpi/${version}` })),
    }),
    'SENDER versions GET /:version': async ({ params }) => {
      const version = ourVersions.find((one) => one === params.version);
      if (!version) throw refuse('not-found', `version ${params.version} is not spoken here`);
      const functional = partners.interfaces.map((one) => ({
        identifier: one.module, role: one.role, url: `${publicUrl()}${interfacePath(one)}`,
      }));
      const credentials = { identifier: 'credentials', role: 'SENDER', url: `${publicUrl()}/ocpi/2.2.1/credentials` };
      return { data: { version, endpoints: [credentials, ...functional] } };
    },
    'SENDER credentials GET ': async ({ caller }) => ({ data: partners.credentials(caller.token) }),
    'SENDER credentials POST ': register,
    'SENDER credentials PUT ': async (request) => ({ data: await partners.renew(registered(request), request.body as Credentials) }),
    'SENDER credentials DELETE ': async (request) => {
      await partners.end(registered(request));
      return {};
    },
  };
}
