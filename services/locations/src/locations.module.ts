import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { Locations } from './locations.ts';
import { StationFactsController } from './station-facts.controller.ts';

@Module({})
export class LocationsModule {
  static with(locations: Locations): DynamicModule {
    return {
      module: LocationsModule,
      controllers: [AskController, StationFactsController],
      providers: [{ provide: Locations, useValue: locations }],
    };
  }
}
