import type { DescMessage, MessageShape } from '@bufbuild/protobuf';

/**
 * The first part of every subject after the platform: a service's name, or, where a service tells
 * from two logs (its own decisions and the rows it mirrors), the name of the second.
 * One context = one JetStream stream = one log with one order of positions.
 */
export type Context =
  | 'ocpi-gateway' | 'agreements' | 'locations' | 'tokens-auth' | 'sessions' | 'partner-sessions' | 'cdr-ledger'
  | 'tariff-engine' | 'ocpp-gateway' | 'evems-controller' | 'portal';

/**
 * An ask: one request, one answer, in a queue group of the owning context
 * (subject `roamwatt.<platform>.<context>.ask.<verb>.v1`).
 * `to` names one holder instead: the request goes to `…ask.<verb>.v1.<token(to)>`, to which only that
 * holder subscribes (a charger's commands).
 * `alone`: it may wait for somebody outside, and so no other travels with it: those would wait as well.
 * `check` returns what is missing or wrong in a parsed request ("station_id is empty"), or undefined.
 */
export interface AskContract<Request extends DescMessage = DescMessage, Answer extends DescMessage = DescMessage> {
  readonly kind: 'ask';
  readonly context: Context;
  readonly verb: string;
  readonly request: Request;
  readonly answer: Answer;
  readonly alone?: boolean;
  readonly to?: (request: MessageShape<Request>) => string;
  readonly check: (request: MessageShape<Request>) => string | undefined;
}

/**
 * A tell: a past-tense fact in the owning context's JetStream stream
 * (subject `roamwatt.<platform>.<context>.<slot>.<thing>.<happened>.v1`, slot = FNV-1a(key) mod 64).
 * Facts of one key are heard in the order in which they were told.
 */
export interface TellContract<Fact extends DescMessage = DescMessage> {
  readonly kind: 'tell';
  readonly context: Context;
  readonly thing: string;
  readonly happened: string;
  readonly fact: Fact;
  readonly key: (fact: MessageShape<Fact>) => string;
  readonly check: (fact: MessageShape<Fact>) => string | undefined;
}

export function ask<Q extends DescMessage, A extends DescMessage>(
  contract: Omit<AskContract<Q, A>, 'kind'>,
): AskContract<Q, A> {
  return { kind: 'ask', ...contract };
}

export function tell<F extends DescMessage>(contract: Omit<TellContract<F>, 'kind'>): TellContract<F> {
  return { kind: 'tell', ...contract };
}
