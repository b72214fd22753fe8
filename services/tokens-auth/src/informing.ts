import type { DisplayText } from '#ocpi';

/** What a driver may be told of a token of ours that may not charge. */
export type Said = 'BLOCKED' | 'NO_CREDIT' | 'NOT_ALLOWED';

const texts: Readonly<Record<string, Readonly<Record<Said, string>>>> = {
  en: {
    BLOCKED: 'This card or app is blocked. Please ask your provider.',
    NO_CREDIT: 'The limit of your account is reached.',
    NOT_ALLOWED: 'Your contract does not allow charging here.',
  },
  fr: {
    BLOCKED: 'Cette carte ou application est bloquée. Veuillez consulter votre fournisseur.',
    NO_CREDIT: 'La limite de votre compte est atteinte.',
    NOT_ALLOWED: 'Votre contrat ne permet pas de recharger ici.',
  },
  de: {
    BLOCKED: 'Diese Karte oder App ist gesperrt. Bitte fragen Sie Ihren Anbieter.',
    NO_CREDIT: 'Das Limit Ihres Kontos ist erreicht.',
    NOT_ALLOWED: 'Ihr Vertrag erlaubt das Laden hier nicht.',
  },
  es: {
    BLOCKED: 'Esta tarjeta o aplicación está bloqueada. Consulte a su proveedor.',
    NO_CREDIT: 'Se ha alcanzado el límite de su cuenta.',
    NOT_ALLOWED: 'Su contrato no permite cargar aquí.',
  },
  nl: {
    BLOCKED: 'Deze kaart of app is geblokkeerd. Neem contact op met uw aanbieder.',
    NO_CREDIT: 'De limiet van uw account is bereikt.',
    NOT_ALLOWED: 'Met uw contract kunt u hier niet laden.',
  },
};

/** In the token's language, where we speak it; else in English. */
export function informing(said: Said, language: string | undefined): DisplayText {
  const spoken = language?.toLowerCase() ?? 'en';
  const text = texts[spoken]?.[said];
  return text === undefined ? { language: 'en', text: texts['en']![said] } : { language: spoken, text };
}
