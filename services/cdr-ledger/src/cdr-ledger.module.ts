import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { DisputesController } from './disputes.controller.ts';
import { Disputes } from './disputes.ts';
import { PartnerFactsController } from './partner-facts.controller.ts';
import { SessionFactsController } from './session-facts.controller.ts';

@Module({})
export class CdrLedgerModule {
  static with({ ledger, disputes }: { ledger: CdrLedger; disputes: Disputes }): DynamicModule {
    return {
      module: CdrLedgerModule,
      controllers: [
        AskController,
        DisputesController,
        SessionFactsController,
        PartnerFactsController,
      ],
      providers: [
        { provide: CdrLedger, useValue: ledger },
        { provide: Disputes, useValue: disputes },
      ],
    };
  }
}
