import type { Answer, Interface, MessageIds, Method, Party, Query, Routing } from '#ocpi';
import type { Caller } from './partners/partners.ts';
import type { SpokenVersion } from './versions.ts';

/** A request as a handler sees it: authenticated, its body and query read by their schemas. */
export interface OcpiRequest {
  readonly caller: Caller;
  /** Of OCPI, by the URL; body and query are those of 2.2.1 whatever it is. */
  readonly version: SpokenVersion;
  readonly method: Method;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** The public URL of what was called, without the query. */
  readonly url: string;
  /** The query as it was written, with its question mark; '' without one. */
  readonly search: string;
  readonly body: unknown;
  /** The body's text as it came. */
  readonly text: string;
  readonly routing: Routing;
  /** The party of ours that the routing headers name; absent where they name none. */
  readonly addressed?: Party | undefined;
  readonly ids: MessageIds;
  /** Through whose hands it came, as each has written there. */
  readonly via?: string | undefined;
  /** Runs `fn` once the answer is on its way. */
  afterAnswer(fn: () => void): void;
}

/** What a handler answers; a refusal is thrown instead. */
export interface OcpiReply {
  /** 200 and 1000 when absent. */
  readonly answer?: Answer;
  readonly message?: string;
  readonly data?: unknown;
  /** Instead of `data`: JSON text that goes out as it is. */
  readonly dataJson?: string;
  /** Instead of `data`: the objects of a list, each as the bytes of its JSON, that go out as they are. */
  readonly listJson?: readonly Uint8Array[];
  /** Of a list, before it goes out: which of its objects are given after all. The partner's version may have no words for one. */
  readonly given?: (isGiven: (place: number) => boolean) => Promise<void>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of all these: an answer in its envelope that goes on as it came. */
  readonly whole?: { readonly http: number; readonly text: string };
  /** Of the answer, where it is not from the party that the request named. */
  readonly routing?: Routing;
  /** The envelope's timestamp; now when absent. A repeat is answered with that of the first answer. */
  readonly at?: string;
}

export type Handler = (request: OcpiRequest) => Promise<OcpiReply>;

/** By `ROLE module METHOD path` of #ocpi's table of routes. */
export type Handlers = Readonly<Record<string, Handler>>;

/**
 * The path of an interface on this server. A module's two interfaces need two paths; 2.1.1 lists a module
 * once, without a role: there both are at one.
 */
export function interfacePath({ module, role }: Interface, version = '2.2.1'): string {
  return version === '2.1.1' ? `/ocpi/2.1.1/${module}` : `/ocpi/${version}/${role.toLowerCase()}/${module}`;
}
