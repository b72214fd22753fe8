import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { LinkFactsController } from './link-facts.controller.ts';
import { Locations } from './locations.ts';
import { StationFactsController } from './station-facts.controller.ts';

@Module({})
export class LocationsModule {
  static with(locations: Locations, erasing: Erasing): DynamicModule {
    return {
      module: LocationsModule,
      controllers: [AskController, StationFactsController, LinkFactsController, ErasureFactsController],
      providers: [{ provide: Locations, useValue: locations }, { provide: Erasing, useValue: erasing }],
    };
  }
}
