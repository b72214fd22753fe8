import { z } from 'zod';
import type { Drivers } from './drivers.ts';
import { openRoute, type Route } from './route.ts';

const DriverView = z.object({
  name: z.string(),
  contract_id: z.string(),
  tokens: z.array(z.object({ uid: z.string(), type: z.string(), visual_number: z.string().optional() })),
}).meta({ id: 'Driver' });

export function signInRoute(drivers: Drivers): Route {
  return openRoute({
    method: 'POST',
    path: '/v1/sign-in',
    summary: 'Sign in as a driver; the token goes into the header Authorization: Bearer',
    body: z.strictObject({
      email: z.string().trim().regex(/^[^\p{Cc}\p{Cs}]{1,254}$/u, '1 to 254 characters, none of them a control character').toLowerCase(),
      password: z.string().min(1).max(200),
    }),
    answer: z.object({ token: z.string(), driver: DriverView }),
    async handle({ body, address }) {
      const { token, driver } = await drivers.signIn(body.email, body.password, address);
      const { name, contractId: contract_id, tokens } = driver;
      const shown = tokens.map(({ country_code: _, party_id: __, ...each }) => each);
      return { token, driver: { name, contract_id, tokens: shown } };
    },
  });
}
