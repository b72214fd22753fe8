import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { DisputesController } from './disputes.controller.ts';
import { Disputes } from './disputes.ts';
import { PartnerFactsController } from './partner-facts.controller.ts';
import { SessionFactsController } from './session-facts.controller.ts';
import { SettlementController } from './settlement.controller.ts';
import { Settling } from './settling.ts';

export interface LedgerVerbs {
  readonly ledger: CdrLedger;
  readonly disputes: Disputes;
  readonly settling: Settling;
}

@Module({})
export class CdrLedgerModule {
  static with({ ledger, disputes, settling }: LedgerVerbs): DynamicModule {
    return {
      module: CdrLedgerModule,
      controllers: [
        AskController,
        DisputesController,
        SettlementController,
        SessionFactsController,
        PartnerFactsController,
      ],
      providers: [
        { provide: CdrLedger, useValue: ledger },
        { provide: Disputes, useValue: disputes },
        { provide: Settling, useValue: settling },
      ],
    };
  }
}
