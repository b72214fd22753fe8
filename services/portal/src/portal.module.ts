import { type DynamicModule, Module } from '@nestjs/common';
import { Charges } from './charges.ts';
import { Drivers } from './drivers.ts';

/** The portal answers and hears nothing on the bus: its edge is the routing table on this application's HTTP. */
@Module({})
export class PortalModule {
  static with(drivers: Drivers, charges: Charges): DynamicModule {
    return {
      module: PortalModule,
      providers: [{ provide: Drivers, useValue: drivers }, { provide: Charges, useValue: charges }],
    };
  }
}
