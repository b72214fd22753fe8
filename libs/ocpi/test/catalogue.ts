import type { z } from 'zod';
import * as cdrs from '../src/cdrs.ts';
import * as profiles from '../src/charging-profiles.ts';
import * as commands from '../src/commands.ts';
import * as credentials from '../src/credentials.ts';
import * as fields from '../src/fields.ts';
import * as hub from '../src/hub-client-info.ts';
import * as locations from '../src/locations.ts';
import * as sessions from '../src/sessions.ts';
import * as tariffs from '../src/tariffs.ts';
import * as tokens from '../src/tokens.ts';
import * as versions from '../src/versions.ts';

/** Every class of OCPI 2.2.1 by the protocol's own name. */
export const classes = {
  DisplayText: fields.DisplayText, Price: fields.Price,
  Version: versions.Version, VersionDetails: versions.VersionDetails, Endpoint: versions.Endpoint,
  Credentials: credentials.Credentials, CredentialsRole: credentials.CredentialsRole,
  Location: locations.Location, EVSE: locations.Evse, Connector: locations.Connector,
  AdditionalGeoLocation: locations.AdditionalGeoLocation, BusinessDetails: locations.BusinessDetails,
  EnergyMix: locations.EnergyMix, EnergySource: locations.EnergySource,
  EnvironmentalImpact: locations.EnvironmentalImpact, ExceptionalPeriod: locations.ExceptionalPeriod,
  GeoLocation: locations.GeoLocation, Hours: locations.Hours, Image: locations.Image,
  PublishTokenType: locations.PublishTokenType, RegularHours: locations.RegularHours,
  StatusSchedule: locations.StatusSchedule,
  Session: sessions.Session, ChargingPreferences: sessions.ChargingPreferences,
  CDR: cdrs.Cdr, CdrDimension: cdrs.CdrDimension, CdrLocation: cdrs.CdrLocation, CdrToken: cdrs.CdrToken,
  ChargingPeriod: cdrs.ChargingPeriod, SignedData: cdrs.SignedData, SignedValue: cdrs.SignedValue,
  Tariff: tariffs.Tariff, PriceComponent: tariffs.PriceComponent, TariffElement: tariffs.TariffElement,
  TariffRestrictions: tariffs.TariffRestrictions,
  AuthorizationInfo: tokens.AuthorizationInfo, Token: tokens.Token, EnergyContract: tokens.EnergyContract,
  LocationReferences: tokens.LocationReferences,
  CancelReservation: commands.CancelReservation, CommandResponse: commands.CommandResponse,
  CommandResult: commands.CommandResult, ReserveNow: commands.ReserveNow, StartSession: commands.StartSession,
  StopSession: commands.StopSession, UnlockConnector: commands.UnlockConnector,
  ChargingProfileResponse: profiles.ChargingProfileResponse,
  ActiveChargingProfileResult: profiles.ActiveChargingProfileResult,
  ChargingProfileResult: profiles.ChargingProfileResult, ClearProfileResult: profiles.ClearProfileResult,
  SetChargingProfile: profiles.SetChargingProfile, ActiveChargingProfile: profiles.ActiveChargingProfile,
  ChargingProfile: profiles.ChargingProfile, ChargingProfilePeriod: profiles.ChargingProfilePeriod,
  ClientInfo: hub.ClientInfo,
} as const satisfies Record<string, z.ZodObject>;

/** Every enum of OCPI 2.2.1 by the protocol's own name. */
export const enums = {
  Role: fields.Role, InterfaceRole: versions.InterfaceRole, VersionNumber: versions.VersionNumber,
  Capability: locations.Capability, ConnectorFormat: locations.ConnectorFormat,
  ConnectorType: locations.ConnectorType, EnergySourceCategory: locations.EnergySourceCategory,
  EnvironmentalImpactCategory: locations.EnvironmentalImpactCategory, Facility: locations.Facility,
  ImageCategory: locations.ImageCategory, ParkingRestriction: locations.ParkingRestriction,
  ParkingType: locations.ParkingType, PowerType: locations.PowerType, Status: locations.Status,
  ChargingPreferencesResponse: sessions.ChargingPreferencesResponse, ProfileType: tokens.ProfileType,
  SessionStatus: sessions.SessionStatus, AuthMethod: cdrs.AuthMethod, CdrDimensionType: cdrs.CdrDimensionType,
  DayOfWeek: tariffs.DayOfWeek, ReservationRestrictionType: tariffs.ReservationRestrictionType,
  TariffDimensionType: tariffs.TariffDimensionType, TariffType: tariffs.TariffType,
  AllowedType: tokens.AllowedType, TokenType: tokens.TokenType, WhitelistType: tokens.WhitelistType,
  CommandResponseType: commands.CommandResponseType, CommandResultType: commands.CommandResultType,
  CommandType: commands.CommandType, ChargingRateUnit: profiles.ChargingRateUnit,
  ChargingProfileResponseType: profiles.ChargingProfileResponseType,
  ChargingProfileResultType: profiles.ChargingProfileResultType, ConnectionStatus: hub.ConnectionStatus,
  ModuleID: versions.ModuleId,
} as const satisfies Record<string, z.ZodEnum>;
