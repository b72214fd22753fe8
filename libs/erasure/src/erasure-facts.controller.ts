import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type ContractErased, contractErased } from '#contracts/erasure';
import { Erasing } from './erasing.ts';

/** Hears, in every service that holds what may name a person, that a contract is to be forgotten. */
export class ErasureFactsController {
  constructor(private readonly erasing: Erasing) {}

  erased({ erasureId, at }: ContractErased, { tx }: Heard): Promise<void> {
    return this.erasing.hear(tx, erasureId, at);
  }
}

// Decorated by hand: who imports the migrations of a service must not need a compiler for it.
const handler = Object.getOwnPropertyDescriptor(ErasureFactsController.prototype, 'erased')!;
Hears(contractErased)(ErasureFactsController.prototype, 'erased', handler as TypedPropertyDescriptor<ErasureFactsController['erased']>);
Inject(Erasing)(ErasureFactsController, undefined, 0);
Controller()(ErasureFactsController);
