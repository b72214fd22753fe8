/** M must, S should, m may, I implied where the text is silent: then what this platform does. */
export type Strength = 'M' | 'S' | 'm' | 'I';

/** One rule of OCPI 2.2.1, in our own words and under ids of our own. */
export interface Rule {
  readonly id: string;
  readonly strength: Strength;
  readonly text: string;
}

type Row = readonly [id: string, strength: Strength, text: string];

const transport: readonly Row[] = [
  ['TRN-01', 'M', 'Every request authorizes itself with "Token", one space, and the Base64 of its credentials token'],
  ['TRN-02', 'M', 'A Credentials object holds the token as it is, not encoded'],
  ['TRN-03', 'I', 'No newline is encoded with the token; one that a peer encoded is forgiven'],
  ['TRN-04', 'S', 'A token sent unencoded, or with the scheme in another case, is understood'],
  ['TRN-05', 'M', 'No token, or one that is not known, is HTTP 401'],
  ['TRN-06', 'M', 'A registration token opens versions and credentials only; elsewhere it is HTTP 401'],
  ['TRN-07', 'M', 'A token tells which platform calls, and so which parties may be named'],
  ['TRN-08', 'M', 'Connections are secured by TLS'],
  ['TRN-10', 'M', 'An interface has the methods that are listed for it and no others'],
  ['TRN-11', 'M', 'A request with a body says that it is application/json'],
  ['TRN-12', 'M', 'Names of JSON fields are lower case with underscores'],
  ['TRN-13', 'M', 'Names of headers are read in any case'],
  ['TRN-14', 'M', 'Whatever is pushed can be pulled as well'],
  ['TRN-15', 'M', 'Endpoints are taken from the version details and never guessed'],
  ['TRN-16', 'I', 'Endpoint and path join by one slash, and each segment is percent-encoded'],
  ['TRN-17', 'I', 'Fields that the version does not know are ignored, and kept when an object is passed on'],
  ['TRN-20', 'M', 'Every response is an envelope with status_code and timestamp'],
  ['TRN-21', 'S', 'A success holds the data of its endpoint, a failure none that is needed'],
  ['TRN-22', 'S', 'Where no data is defined none is sent'],
  ['TRN-23', 'M', 'A callback is answered by an envelope without data, and is not wrapped in one itself'],
  ['TRN-24', 'M', 'Lists are arrays, also when empty; one object is not an array of one'],
  ['TRN-30', 'M', 'HTTP errors are for what is no JSON, unknown tokens, methods and objects alone, and carry the envelope, too'],
  ['TRN-40', 'M', '4xxx codes are for a hub and its own failures; what the receiver said is passed on'],
  ['TRN-50', 'M', 'Lists take date_from (inclusive), date_to (exclusive), offset and limit; Sessions require date_from'],
  ['TRN-51', 'M', 'The dates of a list filter by last_updated'],
  ['TRN-52', 'M', 'A page says X-Total-Count, X-Limit, and the Link to the next with all filters'],
  ['TRN-53', 'M', 'The last page has no Link, and a limit above the maximum is capped'],
  ['TRN-54', 'S', 'Lists keep the order of creation, so that pages neither lose nor repeat objects'],
  ['TRN-55', 'M', 'One invalid object does not cost the client the others of its page'],
  ['TRN-56', 'I', 'An offset behind the end is an empty page; nonsense in the query is 2001'],
  ['TRN-57', 'M', 'What a full pull does not hold is no longer valid'],
  ['TRN-60', 'M', 'A PUT replaces all of the object: optional fields that it omits are gone'],
  ['TRN-61', 'M', 'A PATCH changes what it holds and nothing else'],
  ['TRN-62', 'M', 'A PATCH of a Location, Session or Token says its last_updated'],
  ['TRN-63', 'S', 'A PATCH that fails is followed by the whole object'],
  ['TRN-64', 'I', 'null in a PATCH changes nothing; a list in it replaces the list'],
  ['TRN-65', 'M', 'POST is for credentials, CDRs, authorization, commands and results alone'],
  ['TRN-70', 'M', "The path of a client-owned object begins with its owner's country code and party id"],
  ['TRN-71', 'S', 'Ids in the URL that differ from those in the body are 2001'],
  ['TRN-72', 'M', 'Ids and parties compare without regard to case'],
  ['TRN-73', 'm', 'What a list holds of parties that are not the peer\'s may be ignored'],
  ['TRN-80', 'M', 'X-Request-ID and X-Correlation-ID are in every request and come back in its response'],
  ['TRN-81', 'M', 'A hub gives the forwarded request a new id and keeps the correlation id'],
  ['TRN-82', 'I', 'A callback is a request with an id of its own'],
  ['TRN-90', 'M', '"#NA" stands only where something required truly cannot be known'],
  ['TRN-91', 'S', 'What could not be pushed is not replayed later as it was; the state at the time is'],
];

const hubs: readonly Row[] = [
  ['HUB-01', 'M', 'Functional modules carry the four routing headers, in pairs, in requests and responses'],
  ['HUB-02', 'M', 'Versions, credentials and hubclientinfo carry no routing headers'],
  ['HUB-03', 'm', 'Between two platforms of one party each they may be absent'],
  ['HUB-04', 'M', 'They name parties, and the response swaps them'],
  ['HUB-10', 'M', 'Only pushes are broadcast; a GET to the hub for one object is refused'],
  ['HUB-11', 'M', 'A broadcast reaches the connected parties of the opposite role that receive the module'],
  ['HUB-12', 'M', 'On every leg the URL keeps the party that owns the object'],
  ['HUB-13', 'M', 'Only what is meant for all is broadcast: no CDRs, no Sessions'],
  ['HUB-14', 'M', 'The hub answers a broadcast itself, whatever its receivers say'],
  ['HUB-15', 'M', 'An Open Routing Request names no receiver, and the hub finds it'],
  ['HUB-16', 'M', 'A GET to the hub on a Sender interface is one list of the objects of several parties'],
  ['HUB-17', 'M', 'A hub leaves last_updated as it is'],
  ['HUB-18', 'M', "A hub's credentials list its own role and not its members"],
  ['HUB-19', 'M', 'Unknown receiver is 4001, no answer in time 4002, not connected 4003'],
  ['HUB-20', 'I', 'A hub rewrites the absolute URLs that cross it'],
  ['HUB-21', 'I', "A hub finds the next endpoint by module and interface in the receiver's version details"],
  ['HUB-22', 'M', 'Through several hubs the parties stay the same from end to end'],
  ['HUB-23', 'I', 'Nobody speaks for a party that is not one of its platform'],
  ['HUB-24', 'S', 'A hub asks members who were silent whether they are there'],
];

const types: readonly Row[] = [
  ['TYP-01', 'M', 'A CiString is printable ASCII and compares without regard to case'],
  ['TYP-02', 'M', 'A string is printable UTF-8, its length counted in characters'],
  ['TYP-03', 'M', 'A DateTime is RFC 3339 in UTC, without an offset'],
  ['TYP-04', 'M', 'A number is a JSON number, and money is never reckoned in binary fractions'],
  ['TYP-05', 'M', 'A Price has excl_vat, and incl_vat where it is known'],
  ['TYP-06', 'M', 'A URL has at most 255 characters'],
  ['TYP-07', 'M', 'A DisplayText has a two-letter language and at most 512 characters'],
  ['TYP-08', 'M', 'Enum values are closed and case-sensitive; an unknown one in a describing list fails nothing'],
  ['TYP-09', 'M', 'The roles are CPO, EMSP, HUB, NAP, NSP, OTHER and SCSP'],
  ['TYP-10', 'M', 'Parties have two-letter countries, places three-letter ones; currencies three, languages two letters'],
];

const versions: readonly Row[] = [
  ['VER-01', 'M', 'The versions URL lists versions with their URLs, for the registration token and the final one'],
  ['VER-02', 'M', 'Version details list endpoints by module, interface and URL'],
  ['VER-03', 'M', 'Of the modules only credentials is required; unknown versions disturb nobody'],
  ['VER-04', 'M', 'SENDER is where the owner of the data answers, RECEIVER where it is pushed to'],
  ['VER-05', 'S', 'The interface of the credentials endpoint means nothing'],
  ['VER-06', 'm', "A module of a peer's own disturbs nobody"],
  ['VER-07', 'M', 'Each role offers the interfaces that are typical of it'],
  ['VER-08', 'S', 'A PUT of credentials says that endpoints changed'],
];

const credentials: readonly Row[] = [
  ['CRE-01', 'M', "A registration whose callback fails is 3001 and registers nobody"],
  ['CRE-02', 'M', 'A registration of a peer without the endpoints that are needed is 3003'],
  ['CRE-03', 'I', 'A registration without a version in common is 3002'],
  ['CRE-04', 'M', 'POST while registered, PUT and DELETE while not, are HTTP 405'],
  ['CRE-05', 'M', 'GET answers the credentials by which the server is reached'],
  ['CRE-06', 'M', 'PUT reads versions and endpoints anew and answers a new token'],
  ['CRE-07', 'I', 'While credentials change, the old token stays good until the new one is used'],
  ['CRE-08', 'M', 'DELETE ends the link: all its tokens are dead'],
  ['CRE-09', 'M', 'A token has at most 64 printable characters without spaces, and is one peer\'s'],
  ['CRE-10', 'M', 'A role of a party stands in the list once'],
  ['CRE-11', 'M', 'Tokens are changed at once when somebody else may have them'],
  ['CRE-12', 'S', 'A Location without an operator is run by the party that sends it'],
];

const locations: readonly Row[] = [
  ['LOC-01', 'M', 'What changes in a Connector or EVSE raises last_updated of its parents'],
  ['LOC-02', 'M', 'New and replaced objects are PUT; changes are PATCHed with what changed'],
  ['LOC-03', 'M', 'Locations, EVSEs and Connectors are never deleted; an EVSE becomes REMOVED'],
  ['LOC-04', 'M', 'Ids never change; the uid of an EVSE is unique to its platform, the id of a Connector to its EVSE'],
  ['LOC-05', 'M', 'evse_id is optional, and may go from a REMOVED EVSE'],
  ['LOC-06', 'M', 'Who may see an unpublished Location is told by complete entries'],
  ['LOC-07', 'M', 'Private Locations are never sent'],
  ['LOC-08', 'M', 'Opening hours are all day, or regular hours with an end after their begin'],
  ['LOC-09', 'M', 'Coordinates are strings with 5 to 7 decimals'],
  ['LOC-10', 'M', 'A Location has a time zone'],
  ['LOC-11', 'M', 'A Connector names its tariffs, a free one too'],
  ['LOC-12', 'M', 'A Connector says its power where voltage times current is more'],
  ['LOC-13', 'M', 'A scheduled status only informs: the change is still pushed'],
  ['LOC-14', 'M', 'postal_code is omitted only where there is none; shares of energy add up to 100'],
  ['LOC-15', 'S', 'A station of several cables is shown so that a START_SESSION can name the cable'],
  ['LOC-30', 'M', 'A PUT without required fields is 2001'],
  ['LOC-31', 'M', 'A PATCH without last_updated is 2001'],
  ['LOC-32', 'M', 'A PATCH removes nothing; a PUT does'],
  ['LOC-33', 'I', 'An EVSE that a PUT omits becomes REMOVED; EVSEs in a PATCH are merged by uid'],
  ['LOC-34', 'I', 'A child of an unknown parent is 404; what is older than what is known does not replace it'],
  ['LOC-35', 'M', 'Optional fields that are omitted have their defaults'],
];

const sessions: readonly Row[] = [
  ['SES-01', 'M', 'A Session begins by PUT and changes by PATCH or PUT; COMPLETED is final'],
  ['SES-02', 'M', 'A PUT replaces the charging periods, too'],
  ['SES-03', 'M', 'A PATCH appends its charging periods; none change nothing'],
  ['SES-04', 'M', 'A PATCH of a Session says its last_updated'],
  ['SES-05', 'M', 'start_date_time is the creation while PENDING, and the activation from then on'],
  ['SES-06', 'M', 'The states are PENDING, ACTIVE, COMPLETED, INVALID and RESERVATION'],
  ['SES-07', 'M', 'A reservation without an EVSE has "#NA" for it'],
  ['SES-08', 'M', 'No total_cost is not known yet; zero is free'],
  ['SES-09', 'M', 'authorization_reference is the last one that the eMSP gave'],
  ['SES-10', 'M', 'Currency and kwh are always there'],
  ['SES-11', 'M', 'Current, power, state of charge and energy by direction are for Sessions only'],
  ['SES-12', 'S', 'There are enough periods for a driver to follow the charge'],
  ['SES-20', 'M', 'Charging preferences are answered by one of five words; an EVSE without them is 404 with 2001'],
];

const cdrs: readonly Row[] = [
  ['CDR-01', 'M', 'A CDR is POSTed whole; the answer has the absolute URL at which it can be read'],
  ['CDR-02', 'M', 'A CDR that was sent is neither changed nor deleted'],
  ['CDR-03', 'M', 'Only the id of a Credit CDR is longer than 36 characters'],
  ['CDR-04', 'M', 'A Credit CDR has its own id, names the original, and negates total_cost alone'],
  ['CDR-05', 'M', 'The CDR after a credit has a new id and no mark of the credit'],
  ['CDR-06', 'M', 'A CDR has at least one period, and each at least one dimension'],
  ['CDR-07', 'M', 'A new period begins wherever another price begins'],
  ['CDR-08', 'M', 'Location, tariffs and token are those of the start'],
  ['CDR-09', 'M', 'session_id is omitted only where there is no Session'],
  ['CDR-10', 'M', 'auth_method and authorization_reference are the last ones'],
  ['CDR-11', 'M', 'Times are in hours and energy in kWh; total_time is the whole session'],
  ['CDR-12', 'M', 'total_cost is the sum; the fixed fees of parking and reservation are in their own totals'],
  ['CDR-13', 'M', 'The CDR of a reservation without a session has "#NA" for its EVSE, and lists the tariffs'],
  ['CDR-14', 'M', 'The place in a CDR has an evse_id, and its token a party'],
  ['CDR-15', 'M', 'A list of CDRs is filtered by when they were made'],
  ['CDR-16', 'M', 'No dimension that is for Sessions is in a CDR, and none is FLAT'],
  ['CDR-17', 'M', 'Energy may be negative, and a current is that of all phases'],
  ['CDR-18', 'M', 'home_charging_compensation says that the driver is paid the energy'],
  ['CDR-19', 'M', 'Times that are not known are only by agreement the epoch'],
  ['CDR-20', 'M', 'Signed meter values come with their encoding, up to 5000 characters each'],
  ['CDR-21', 'I', 'The same CDR twice is one; another one under its id is 2001'],
  ['CDR-22', 'I', 'A credit of an unknown CDR, or a second one, is flagged or refused'],
  ['CDR-23', 'M', 'A CDR holds what it takes to reckon its price again'],
];

const tariffs: readonly Row[] = [
  ['TAR-01', 'M', 'A tariff is PUT and DELETEd, never while a Connector names it'],
  ['TAR-02', 'M', 'A tariff without a type is for every session'],
  ['TAR-03', 'M', 'start_date_time and end_date_time say in UTC when a tariff is valid'],
  ['TAR-04', 'M', 'The text beside elements is more information, never a price'],
  ['TAR-05', 'M', 'How money is rounded is not for the protocol to say'],
  ['TAR-06', 'M', 'Free of charge is a FLAT of 0.00 without restrictions'],
  ['PRC-01', 'M', 'An element is active while all its restrictions hold'],
  ['PRC-02', 'M', 'For each dimension the first active element that has it gives the price'],
  ['PRC-03', 'M', 'Dimensions are ENERGY (kWh), TIME and PARKING_TIME (hours), and FLAT'],
  ['PRC-04', 'I', 'FLAT is due once for a session'],
  ['PRC-05', 'M', 'Prices are without VAT; no vat is not 0 %'],
  ['PRC-06', 'M', 'step_size rounds the total of a dimension up, once for a session'],
  ['PRC-07', 'M', 'Of TIME followed by PARKING_TIME only the parking is rounded'],
  ['PRC-08', 'M', 'Nothing is rounded when element or tariff changes'],
  ['PRC-09', 'M', 'Where the last stretch costs no time, the last one that does gives the step'],
  ['PRC-10', 'M', 'An exact multiple of the step stays, and a step of 0 does no harm'],
  ['PRC-11', 'I', 'The time of a reservation is rounded by itself'],
  ['PRC-12', 'M', 'Minimum and maximum bound the total, without and with VAT each by itself'],
  ['PRC-13', 'M', "Restrictions are in the Location's time; minima hold from, maxima until before"],
  ['PRC-14', 'M', 'A reservation has prices of its own, and others when it expired'],
  ['PRC-15', 'M', 'RESERVATION_TIME is priced by the TIME of reservations'],
  ['PRC-16', 'I', 'The zone of a CDR is that of its Location, or follows from where it is'],
  ['PRC-17', 'S', 'A step of 1 is the best one'],
];

const tokens: readonly Row[] = [
  ['TOK-01', 'M', 'A token is named by party, uid and type; the type is RFID unless said'],
  ['TOK-02', 'M', 'Tokens are never deleted: they become invalid'],
  ['TOK-03', 'M', 'Authorize may come without a body'],
  ['TOK-04', 'M', 'A known token is answered with what is allowed, where, and a reference'],
  ['TOK-05', 'M', 'BLOCKED, EXPIRED, NO_CREDIT and NOT_ALLOWED are answers of a success'],
  ['TOK-06', 'M', 'An unknown token is HTTP 404 and 2004 without data'],
  ['TOK-07', 'M', 'Where the place is needed and absent the answer is 2002'],
  ['TOK-08', 'M', 'The eMSP refuses nobody for opening hours or the state of an EVSE'],
  ['TOK-09', 'M', 'The whitelist type says whether the list, the eMSP, or either decides'],
  ['TOK-10', 'M', 'An invalid token whose eMSP decides is asked about all the same'],
  ['TOK-11', 'M', 'Authorize may be absent only where all tokens are ALWAYS'],
  ['TOK-12', 'M', 'Types are AD_HOC_USER, APP_USER, OTHER and RFID; a group_id has up to 36 characters'],
  ['TOK-13', 'M', 'A token has an issuer, a contract, its validity and its whitelist type'],
  ['TOK-14', 'S', 'Authorize is answered fast, and the list is not read for it'],
];

const commands: readonly Row[] = [
  ['CMD-01', 'M', 'A command is answered at once with a timeout; only after ACCEPTED comes a result'],
  ['CMD-02', 'M', 'Responses and results are words of two lists; TIMEOUT is a result only'],
  ['CMD-03', 'M', 'After the timeout no result needs to be awaited'],
  ['CMD-04', 'M', 'The response is enveloped, the result is the bare body of a request'],
  ['CMD-05', 'M', 'An unknown place is 2003 and REJECTED, an unknown session UNKNOWN_SESSION'],
  ['CMD-06', 'M', 'The CPO does not check the token of a command; it is one of the eMSP that sends it'],
  ['CMD-07', 'M', 'The token of a command goes into Session and CDR though it was never pushed'],
  ['CMD-08', 'M', 'A START_SESSION names an EVSE beside a Connector; its reference goes into Session and CDR'],
  ['CMD-09', 'M', 'RESERVE_NOW under the same id replaces the reservation; no two eMSPs share one at the station'],
  ['CMD-10', 'M', 'A reservation that the CPO cancels is said to the response_url that it came with'],
  ['CMD-11', 'M', 'CANCEL_RESERVATION, STOP_SESSION and UNLOCK_CONNECTOR name what they are about'],
  ['CMD-12', 'I', 'A command that is none is 404; one that is not carried out NOT_SUPPORTED'],
];

const profiles: readonly Row[] = [
  ['CHP-01', 'M', 'A profile is asked for with a duration and a response_url, answered with a result and a timeout'],
  ['CHP-02', 'M', 'Changes of the active profile are said to whoever set one for the session, and to nobody before'],
  ['CHP-03', 'M', 'A profile is a limit; who may set one is the owner of the token, and by contract another'],
  ['CHP-04', 'M', 'Limits have at most one decimal'],
  ['CHP-05', 'M', 'An eMSP may stand between an SCSP and the CPO'],
  ['CHP-06', 'S', 'An EVSE says whether it follows profiles'],
];

const clientInfo: readonly Row[] = [
  ['HCI-01', 'M', 'A ClientInfo has party, role, status and last_updated'],
  ['HCI-02', 'M', 'A party of two roles has two of them'],
  ['HCI-03', 'M', 'Only to a party that is CONNECTED anything is sent'],
  ['HCI-04', 'M', 'A hub PUTs what is new or changed to its members'],
  ['HCI-05', 'M', 'A member who is silent is asked whether it is there'],
];

/** Every rule, in the order of the modules. */
export const rules: readonly Rule[] = [
  ...transport, ...hubs, ...types, ...versions, ...credentials, ...locations, ...sessions, ...cdrs, ...tariffs,
  ...tokens, ...commands, ...profiles, ...clientInfo,
].map(([id, strength, text]) => ({ id, strength, text }));

export const ruleIds: ReadonlySet<string> = new Set(rules.map(({ id }) => id));
