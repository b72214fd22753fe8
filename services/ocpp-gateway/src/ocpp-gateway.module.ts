import { type DynamicModule, Module } from '@nestjs/common';
import { Erasing, ErasureFactsController } from '#erasure';
import type { Executor } from '#event-store';
import type { Database } from '#postgres';
import { AskController } from './ask.controller.ts';
import { OwnFactsController } from './own-facts.controller.ts';
import { DATABASE, JOURNAL } from './provided.ts';
import type { Station, StationCommand, StationEvent } from './station-events.ts';

interface Parts {
  readonly db: Database;
  readonly journal: Executor<Station, StationCommand, StationEvent>;
  readonly erasing: Erasing;
}

@Module({})
export class OcppGatewayModule {
  static with({ db, journal, erasing }: Parts): DynamicModule {
    return {
      module: OcppGatewayModule,
      controllers: [AskController, OwnFactsController, ErasureFactsController],
      providers: [
        { provide: DATABASE, useValue: db },
        { provide: JOURNAL, useValue: journal },
        { provide: Erasing, useValue: erasing },
      ],
    };
  }
}
