import type { Body, CallOptions, Method, Outcome } from '#ocpi';
import type { PartnerClient } from './calls.ts';

/** One call of a partner's client. */
export interface Call {
  readonly method: Method;
  readonly url: string;
  readonly body: Body | undefined;
  readonly options: CallOptions | undefined;
}

/** A client as one function: what is done to every call is written once. */
export type Send = (call: Call) => Promise<Outcome>;

export function sender(client: PartnerClient): Send {
  return ({ method, url, body, options }) => {
    switch (method) {
      case 'GET': return client.get(url, options);
      case 'DELETE': return client.delete(url, options);
      case 'POST': return client.post(url, body, options);
      case 'PUT': return client.put(url, body!, options);
      case 'PATCH': return client.patch(url, body!, options);
    }
  };
}

export function clientOf(send: Send): PartnerClient {
  return {
    get: (url, options) => send({ method: 'GET', url, body: undefined, options }),
    delete: (url, options) => send({ method: 'DELETE', url, body: undefined, options }),
    post: (url, body, options) => send({ method: 'POST', url, body, options }),
    put: (url, body, options) => send({ method: 'PUT', url, body, options }),
    patch: (url, body, options) => send({ method: 'PATCH', url, body, options }),
  };
}
