import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type MeterRead, meterRead, type TransactionStarted, transactionStarted, type TransactionStopped, transactionStopped,
} from '#contracts/ocpp-gateway';
import { Charging } from './charging.ts';

@Controller()
export class StationFactsController {
  constructor(@Inject(Charging) private readonly charging: Charging) {}

  @Hears(transactionStarted)
  started(fact: TransactionStarted, heard: Heard) {
    return this.charging.started(fact, heard);
  }

  @Hears(meterRead)
  read(fact: MeterRead, heard: Heard) {
    return this.charging.read(fact, heard);
  }

  @Hears(transactionStopped)
  stopped(fact: TransactionStopped, heard: Heard) {
    return this.charging.stopped(fact, heard);
  }
}
