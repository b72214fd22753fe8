import { Catch, type ExceptionFilter, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { throwError } from 'rxjs';
import type { AskContract, TellContract } from './contract.ts';
import type { Asked, Outcome } from './handling.ts';
import type { Heard, HeardTogether, Told } from './hearing.ts';
import { kindOf } from './subjects.ts';

/**
 * The transport's id: without one a handler would register with every strategy of its application.
 */
export const BUS_TRANSPORT = Symbol('roamwatt bus');

/** What a decorated method handles; travels as the pattern's extras. */
export type Handles =
  | { readonly answers: AskContract }
  | { readonly hears: readonly TellContract[]; readonly many: boolean };

/** Nest's own filter would put "Internal server error" in the place of the real error. */
class Rethrow implements ExceptionFilter {
  catch(error: unknown) {
    return throwError(() => error);
  }
}
Catch()(Rethrow);

/** Generic in the method, since a descriptor's own type is invariant. */
type Method<Parameters extends unknown[], Result> = <M extends (...given: Parameters) => Result>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** The method answers a contract's asks: arrays in, arrays of the same length out. */
export function Answers<Q extends DescMessage, A extends DescMessage>(
  contract: AskContract<Q, A>,
): Method<[MessageShape<Q>[], Asked], Outcome<A>[] | Promise<Outcome<A>[]>> {
  const pattern = `${contract.context}.ask.${contract.verb}`;
  return decorate(MessagePattern(pattern, BUS_TRANSPORT, { answers: contract }));
}

/** Contracts of any facts: a union of them cannot be called with any one. */
type AnyTell = Pick<TellContract, 'kind' | 'context' | 'thing' | 'happened' | 'fact'>;

/** The method hears facts one at a time; those of one key in the order in which they were told. */
export function Hears<Contracts extends readonly AnyTell[]>(
  ...contracts: Contracts
): Method<[MessageShape<Contracts[number]['fact']>, Heard], void | Promise<void>> {
  return decorate(
    EventPattern(contracts.map(patternOf), BUS_TRANSPORT, { hears: contracts, many: false }),
  );
}

/** The method hears as many facts of one kind as come in a row, to write them by one statement. */
export function HearsMany<F extends DescMessage>(
  contract: TellContract<F>,
): Method<[Told<F>[], HeardTogether], void | Promise<void>> {
  return decorate(
    EventPattern([patternOf(contract)], BUS_TRANSPORT, { hears: [contract], many: true }),
  );
}

export function patternOf(contract: Pick<TellContract, 'context' | 'thing' | 'happened'>): string {
  return `${contract.context}.tell.${kindOf(contract)}`;
}

function decorate(
  pattern: MethodDecorator,
): (target: object, name: string | symbol, descriptor: PropertyDescriptor) => void {
  return (target, name, descriptor) => {
    UseFilters(new Rethrow())(target, name, descriptor);
    // Without these Nest hands over the first argument only.
    Payload()(target, name, 0);
    Ctx()(target, name, 1);
    pattern(target, name, descriptor);
  };
}
