import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { FactsController } from './facts.controller.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { Partners } from './partners.ts';

@Module({})
export class OcpiGatewayModule {
  static with(gateway: OcpiGateway, partners: Partners): DynamicModule {
    return {
      module: OcpiGatewayModule,
      controllers: [AskController, FactsController],
      providers: [{ provide: OcpiGateway, useValue: gateway }, { provide: Partners, useValue: partners }],
    };
  }
}
