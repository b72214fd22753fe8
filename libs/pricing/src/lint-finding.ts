/** It breaks a rule or never works; it hardly does what is meant; it is good to know. */
export type Severity = 'error' | 'warning' | 'info';

/** Something about a tariff that its author should look at. */
export interface Finding {
  readonly code: LintCode;
  readonly severity: Severity;
  /** JSON pointer into the tariff, as in "/elements/0/restrictions/start_time". */
  readonly path: string;
  /** What is the case, and by which rule. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** All codes, with how much each matters where nothing else says so. */
export const LINT_CODES = {
  'missing-field': 'error',
  'unknown-field': 'warning',
  'wrong-type': 'error',
  'number-as-text': 'warning',
  'unknown-value': 'error',
  'unknown-currency': 'error',
  'bad-format': 'error',
  'too-long': 'error',
  'empty-list': 'error',
  'invalid-tariff': 'error',
  'unreachable-element': 'error',
  'unreachable-component': 'error',
  'duplicate-dimension': 'error',
  'reservation-dimension': 'error',
  'only-without-current': 'warning',
  'too-intricate': 'warning',
  'gap-without-price': 'warning',
  'overlapping-windows': 'warning',
  'outside-validity': 'warning',
  'validity-empty': 'error',
  'tariff-ended': 'warning',
  'earlier-version-returns': 'warning',
  'equal-times': 'warning',
  'empty-days': 'warning',
  'ends-a-minute-early': 'warning',
  'end-date-exclusive': 'info',
  'wraps-with-days': 'warning',
  'duration-of-session': 'info',
  'per-minute-price': 'warning',
  'price-in-cents': 'warning',
  'price-per-wh': 'warning',
  'negative-price': 'warning',
  'vat-as-fraction': 'warning',
  'vat-implausible': 'warning',
  'vat-sometimes-absent': 'warning',
  'step-size-zero': 'warning',
  'step-size-large': 'warning',
  'step-size-differs': 'info',
  'step-size-of-flat': 'info',
  'min-above-max-price': 'error',
  'incl-below-excl': 'error',
  'bound-without-incl': 'warning',
  'free-tariff-form': 'info',
  'alt-text-price': 'info',
  'canada-kwh-without-approval': 'error',
  'canada-dispensation-ends': 'warning',
  'canada-meter-unknown': 'info',
  'canada-time-price-after-2029': 'warning',
  'canada-flat-price-after-2029': 'warning',
} as const satisfies Record<string, Severity>;

export type LintCode = keyof typeof LINT_CODES;

export function finding(
  code: LintCode,
  path: string,
  message: string,
  advice: string,
  severity: Severity = LINT_CODES[code],
): Finding {
  return { code, severity, path, message, advice };
}

/** The JSON pointer of an element, or of one of its components. */
export function pointer(element: number, component?: number): string {
  const at = `/elements/${element}`;
  return component === undefined ? at : `${at}/price_components/${component}`;
}
