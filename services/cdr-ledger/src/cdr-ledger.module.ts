import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { DisputesController } from './disputes.controller.ts';
import { Disputes } from './disputes.ts';
import { Csv } from './cdr-csv.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { Exporting } from './exporting.ts';
import { PartnerFactsController } from './partner-facts.controller.ts';
import { Projections } from './projections.ts';
import { Proofs } from './proofs.ts';
import { ProofsController } from './proofs.controller.ts';
import type { Proving } from './proving.ts';
import { Retail } from './retail.ts';
import { RetailController } from './retail.controller.ts';
import { RetailFactsController } from './retail-facts.controller.ts';
import { SessionFactsController } from './session-facts.controller.ts';
import { SettlementController } from './settlement.controller.ts';
import { Settling } from './settling.ts';

export interface LedgerVerbs extends Omit<Proving, 'signing'> {
  readonly ledger: CdrLedger;
  readonly disputes: Disputes;
  readonly settling: Settling;
  readonly retail: Retail;
  readonly erasing: Erasing;
}

@Module({})
export class CdrLedgerModule {
  static with(verbs: LedgerVerbs): DynamicModule {
    const { ledger, disputes, settling, retail, erasing, proofs, exporting, csv, projections } = verbs;
    return {
      module: CdrLedgerModule,
      controllers: [
        AskController,
        DisputesController,
        SettlementController,
        ProofsController,
        SessionFactsController,
        PartnerFactsController,
        ErasureFactsController,
        RetailController,
        ...(retail.accountsIfKept ? [RetailFactsController] : []),
      ],
      providers: [
        { provide: CdrLedger, useValue: ledger },
        { provide: Disputes, useValue: disputes },
        { provide: Settling, useValue: settling },
        { provide: Retail, useValue: retail },
        { provide: Erasing, useValue: erasing },
        { provide: Proofs, useValue: proofs },
        { provide: Exporting, useValue: exporting },
        { provide: Csv, useValue: csv },
        { provide: Projections, useValue: projections },
      ],
    };
  }
}
