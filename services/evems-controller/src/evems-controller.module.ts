import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { EvemsController } from './evems-controller.ts';
import { Profiles } from './profiles.ts';
import { StationFactsController } from './station-facts.controller.ts';

@Module({})
export class EvemsControllerModule {
  static with(evems: EvemsController, profiles: Profiles): DynamicModule {
    return {
      module: EvemsControllerModule,
      controllers: [AskController, StationFactsController],
      providers: [
        { provide: EvemsController, useValue: evems },
        { provide: Profiles, useValue: profiles },
      ],
    };
  }
}
