import { type DynamicModule, Module } from '@nestjs/common';
import { Charges } from './charges.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { Drivers } from './drivers.ts';

/** The portal hears on the bus what it has to forget, and nothing else: its edge is the routing table on this application's HTTP. */
@Module({})
export class PortalModule {
  static with(drivers: Drivers, charges: Charges, erasing: Erasing): DynamicModule {
    return {
      module: PortalModule,
      controllers: [ErasureFactsController],
      providers: [
        { provide: Drivers, useValue: drivers },
        { provide: Charges, useValue: charges },
        { provide: Erasing, useValue: erasing },
      ],
    };
  }
}
