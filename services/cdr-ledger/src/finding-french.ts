import { decimal, exactText } from '#money';
import { french } from '#pricing';
import type { Figures, Finding, FindingCode } from './finding.ts';
import { figuresOf } from './finding-figures.ts';

const NO_BREAK = '\u00a0';

/** What a finding means, to a driver who reads French, with its figures: its detail, in English, is for whoever looks into it. */
export function frenchFinding(finding: Finding): string {
  const figures = figuresOf(finding);
  const means = FRENCH_FINDINGS[finding.code];
  return figures === undefined ? means : `${means}${NO_BREAK}: ${inFrench(figures)}`;
}

function inFrench({ field, told, due, currency, vat, unit, start }: Figures): string {
  if (start !== undefined) return `${field === 'end_date_time' ? 'fin à ' : ''}${told}, début à ${start}`;
  if (unit === '%') return `${taxes(told ?? 'un autre montant')} facturés au lieu de ${taxes(due!)}`;
  const say = (figure: string) => {
    if (currency !== undefined) return money(figure, currency);
    return unit === undefined ? figure : `${french.number(figure)}${NO_BREAK}${unit}`;
  };
  const part = currency === undefined || field === 'total_cost' ? '' : `${field}, `;
  const tax = vat === undefined ? '' : vat === 'excl' ? ' avant taxes' : ' taxes comprises';
  return `${part}${say(told!)}${tax}${due === undefined ? '' : ` au lieu de ${say(due)}`}`;
}

function money(digits: string, currency: string): string {
  return french.money(french.number(exactText(decimal(digits), currency)), currency);
}

/** "GST 5, QST 9.975" */
function taxes(text: string): string {
  return text
    .replaceAll(', ', ' et ')
    .replaceAll(/\b[A-Z]{3}\b/g, (code) => FRENCH_TAXES[code] ?? code)
    .replaceAll(/\d[\d.]*/g, (percent) => `${french.number(percent)}${NO_BREAK}%`);
}

/** Where one is called otherwise than by its code. */
export const FRENCH_TAXES: Readonly<Record<string, string>> = { GST: 'TPS', HST: 'TVH', QST: 'TVQ' };

const FRENCH_FINDINGS: Readonly<Record<FindingCode, string>> = {
  'price-differs': 'le montant facturé n’est pas celui que donne le tarif',
  'split-differs': 'un montant partiel n’est pas celui que donne le tarif',
  'period-spans-price-change': 'le prix change au milieu d’une période, facturée comme elle commence',
  'negative-total': 'le montant est négatif',
  'credit-total-not-negative': 'le montant d’un crédit n’est pas négatif',
  'credit-negates-more': 'un crédit rend négatifs d’autres montants que le total',
  'not-priceable': 'le prix ne peut pas être recalculé',
  'time-zone-unknown': 'le fuseau horaire de la borne n’est pas connu',
  'time-zone-differs': 'le prix a été calculé dans un autre fuseau horaire que celui de la borne',
  'currency-unknown': 'la devise est inconnue',
  'tax-differs-from-place': 'les taxes facturées ne sont pas celles du lieu',
  'tariff-in-another-currency': 'le tarif est dans une autre devise',
  'tariff-not-listed': 'une période nomme un tarif qui n’est pas joint',
  'tariff-outside-its-validity': 'le tarif n’était pas en vigueur au début de la séance',
  'tariff-not-as-published': 'le tarif n’est pas celui qui était publié au début de la séance',
  'tariff-not-compared': 'le tarif n’a pas pu être comparé à celui qui était publié',
  'energy-differs-from-periods': 'l’énergie totale n’est pas celle des périodes',
  'time-differs-from-timestamps': 'la durée totale n’est pas celle des horodatages',
  'parking-time-differs-from-periods': 'la durée de stationnement n’est pas celle des périodes',
  'period-outside-session': 'une période est hors de la séance',
  'ends-before-it-starts': 'la séance finit avant de commencer',
  'time-in-the-future': 'un horodatage est dans l’avenir',
  'updated-before-it-starts': 'la dernière mise à jour précède le début de la séance',
  'signed-data-valid': 'la signature du compteur est valide',
  'signed-by-unknown-key': 'la signature correspond à la clé jointe, qui n’est pas connue ici',
  'signed-data-not-verifiable': 'la signature du compteur n’est pas vérifiable ici',
  'signed-data-invalid': 'la signature du compteur n’est pas valide',
  'signed-data-unreadable': 'les données signées par le compteur sont illisibles',
  'signed-key-differs': 'la clé jointe n’est pas celle que l’on connaît du compteur',
  'signed-energy-differs': 'l’énergie facturée n’est pas celle que le compteur a signée',
  'signed-time-differs': 'les heures de la séance ne sont pas celles que le compteur a signées',
  'signed-unit-unknown': 'l’unité des relevés signés est inconnue',
  'signed-reading-not-usable': 'un relevé signé est déclaré inutilisable par le compteur',
  'signed-pages-out-of-order': 'les relevés signés ne sont pas en ordre',
  'signed-pages-missing': 'il manque des relevés signés entre le premier et le dernier',
  'signed-by-several-meters': 'les relevés sont signés par plusieurs compteurs',
  'signed-readings-incomplete': 'les relevés signés ne couvrent pas toute la séance',
  'register-fell': 'le compteur a affiché moins qu’avant',
  'reading-beyond-power': 'un relevé dépasse ce que la borne peut fournir',
  'register-wrapped': 'le compteur est repassé par zéro',
  'register-replaced': 'le compteur est reparti d’une autre valeur',
  'meter-start-missing': 'la borne n’a pas dit le relevé du début',
  'meter-stop-missing': 'la borne n’a pas dit le relevé de la fin',
  'meter-stop-below-start': 'le relevé de la fin est inférieur à celui du début',
  'meter-stop-below-reading': 'le relevé de la fin est inférieur à un relevé précédent',
  'meter-stop-beyond-power': 'le relevé de la fin dépasse ce que la borne peut fournir',
  'stopped-before-last-reading': 'la fin annoncée précède le dernier relevé',
  'signed-values-left-out': 'une partie des relevés signés n’est pas jointe',
  'station-clock-wrong': 'l’horloge de la borne était fausse',
  'station-without-power': 'la borne était sans courant avant la fin qu’elle annonce',
  'closed-by-operator': 'l’exploitant a clos la recharge, dont la borne n’a pas dit la fin',
  'token-of-another-party': 'la carte est d’un autre fournisseur',
  'credit-of-unknown-original': 'le crédit porte sur une facturation inconnue ici',
  'second-credit': 'la facturation avait déjà été créditée',
  'credit-differs-from-original': 'le crédit n’est pas du montant de la facturation',
  'credit-reuses-id': 'le crédit porte l’identifiant de ce qu’il crédite',
  'reference-without-credit': 'une facturation en nomme une autre sans être un crédit',
  'overlaps-another-charge': 'la séance chevauche une autre recharge',
  'session-billed-twice': 'la séance a été facturée deux fois',
};
