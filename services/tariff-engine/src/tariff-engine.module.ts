import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { OwnFactsController } from './own-facts.controller.ts';
import { TariffEngine } from './tariff-engine.ts';

@Module({})
export class TariffEngineModule {
  static with(engine: TariffEngine): DynamicModule {
    return {
      module: TariffEngineModule,
      controllers: [AskController, OwnFactsController],
      providers: [{ provide: TariffEngine, useValue: engine }],
    };
  }
}
