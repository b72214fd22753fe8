import { type DynamicModule, Module } from '@nestjs/common';
import { Erasing, ErasureFactsController } from '#erasure';
import type { Database } from '#postgres';
import { AskController } from './ask.controller.ts';
import { OwnFactsController } from './own-facts.controller.ts';
import { DATABASE } from './provided.ts';


@Module({})
export class OcppGatewayModule {
  static with(db: Database, erasing: Erasing): DynamicModule {
    return {
      module: OcppGatewayModule,
      controllers: [AskController, OwnFactsController, ErasureFactsController],
      providers: [{ provide: DATABASE, useValue: db }, { provide: Erasing, useValue: erasing }],
    };
  }
}
