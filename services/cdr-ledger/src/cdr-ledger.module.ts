import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { PartnerFactsController } from './partner-facts.controller.ts';
import { SessionFactsController } from './session-facts.controller.ts';

@Module({})
export class CdrLedgerModule {
  static with(ledger: CdrLedger): DynamicModule {
    return {
      module: CdrLedgerModule,
      controllers: [AskController, SessionFactsController, PartnerFactsController],
      providers: [{ provide: CdrLedger, useValue: ledger }],
    };
  }
}
