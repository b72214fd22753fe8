import type {
  ChangeConfigurationResponse,
  ConfigurationKey16,
  GetConfigurationResponse,
} from '#ocpp';
import { profileLimits } from './charger-profiles.ts';

type Rule = 'integer' | 'boolean' | 'text' | 'read-only' | 'write-only';

interface Setting {
  readonly key: string;
  readonly rule: Rule;
  value: string;
}

/** The configuration keys a central system relies on (OCPP 1.6 §9), as one station holds them. */
export class Settings {
  readonly #settings = new Map<string, Setting>();

  constructor(connectors: number, given: Readonly<Record<string, string>>) {
    const table: [key: string, rule: Rule, value: string][] = [
      ['AllowOfflineTxForUnknownId', 'boolean', 'false'],
      ['AuthorizationCacheEnabled', 'boolean', 'true'],
      ['AuthorizationKey', 'write-only', ''],
      ['AuthorizeRemoteTxRequests', 'boolean', 'false'],
      ['ChargeProfileMaxStackLevel', 'read-only', String(profileLimits.stackLevelMax)],
      ['ChargingScheduleAllowedChargingRateUnit', 'read-only', 'Current,Power'],
      ['ChargingScheduleMaxPeriods', 'read-only', String(profileLimits.periodsMax)],
      ['ClockAlignedDataInterval', 'integer', '0'],
      ['ConnectionTimeOut', 'integer', '120'],
      ['ConnectorPhaseRotation', 'text', 'NotApplicable'],
      ['GetConfigurationMaxKeys', 'read-only', '50'],
      ['HeartbeatInterval', 'integer', '300'],
      ['LocalAuthorizeOffline', 'boolean', 'true'],
      ['LocalPreAuthorize', 'boolean', 'false'],
      ['MaxChargingProfilesInstalled', 'read-only', String(profileLimits.installedMax)],
      ['MeterValueSampleInterval', 'integer', '60'],
      [
        'MeterValuesSampledData',
        'text',
        'Energy.Active.Import.Register,Power.Active.Import,Current.Import,SoC',
      ],
      ['NumberOfConnectors', 'read-only', String(connectors)],
      ['ResetRetries', 'integer', '1'],
      ['StopTransactionOnEVSideDisconnect', 'boolean', 'true'],
      ['StopTransactionOnInvalidId', 'boolean', 'true'],
      ['StopTxnSampledData', 'text', 'Energy.Active.Import.Register'],
      ['SupportedFeatureProfiles', 'read-only', 'Core,Reservation,SmartCharging,RemoteTrigger'],
      ['TransactionMessageAttempts', 'integer', '5'],
      ['TransactionMessageRetryInterval', 'integer', '10'],
      ['UnlockConnectorOnEVSideDisconnect', 'boolean', 'true'],
      ['WebSocketPingInterval', 'integer', '30'],
    ];
    for (const [key, rule, value] of table)
      this.#settings.set(key.toLowerCase(), { key, rule, value });
    for (const [key, value] of Object.entries(given)) {
      const setting = this.#settings.get(key.toLowerCase());
      if (!setting) throw new Error(`the station has no configuration key ${key}`);
      setting.value = value;
    }
  }

  text(key: string): string {
    const setting = this.#settings.get(key.toLowerCase());
    if (!setting) throw new Error(`the station has no configuration key ${key}`);
    return setting.value;
  }
  integer(key: string): number {
    return Number(this.text(key));
  }
  boolean(key: string): boolean {
    return this.text(key) === 'true';
  }
  list(key: string): string[] {
    return this.text(key)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  /** Keys are compared without case (S16-63). */
  change(key: string, value: string): ChangeConfigurationResponse['status'] {
    const setting = this.#settings.get(key.toLowerCase());
    if (!setting) return 'NotSupported';
    if (setting.rule === 'read-only') return 'Rejected';
    if (setting.rule === 'integer' && !/^\d{1,9}$/.test(value)) return 'Rejected';
    if (setting.rule === 'boolean' && !/^(true|false)$/i.test(value)) return 'Rejected';
    setting.value = setting.rule === 'boolean' ? value.toLowerCase() : value;
    return 'Accepted';
  }

  get(keys: readonly string[] | undefined): GetConfigurationResponse {
    const named =
      keys && keys.length > 0 ? keys : [...this.#settings.values()].map(({ key }) => key);
    const configurationKey: ConfigurationKey16[] = [];
    const unknownKey: string[] = [];
    for (const name of named) {
      const setting = this.#settings.get(name.toLowerCase());
      if (!setting) unknownKey.push(name);
      else {
        const { key, rule, value } = setting;
        const readonly = rule === 'read-only';
        configurationKey.push(rule === 'write-only' ? { key, readonly } : { key, readonly, value });
      }
    }
    return { configurationKey, ...(unknownKey.length > 0 && { unknownKey }) };
  }
}
