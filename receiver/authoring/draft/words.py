"""The words of platforms in several languages; they decide if shapes do not."""

import re
import unicodedata

NAMES = (
    *("name", "fieldname", "key", "field", "label", "tag", "title", "code", "id", "type"),
    *("bezeichnung", "bez", "feldname", "feld", "schluessel", "merkmal", "titel"),
    *("nom", "libelle", "champ", "cle", "intitule", "naam", "veld", "kenmerk", "nombre", "campo", "etiqueta", "clave"),
)
VALUES = (
    *("value", "text", "content", "data", "val", "normalizedvalue", "normalisedvalue", "normalized", "extractedvalue"),
    *("answer", "result", "string", "rawvalue", "raw", "v"),
    *("wert", "inhalt", "valeur", "contenu", "texte", "waarde", "inhoud", "tekst", "valor", "contenido", "texto"),
)
CONFIDENCES = (
    *("confidence", "conf", "score", "probability", "certainty", "accuracy", "likelihood", "quality"),
    *("sicherheit", "konfidenz", "vertrauen", "guete", "wahrscheinlichkeit", "confiance", "fiabilite", "certitude"),
    *("betrouwbaarheid", "zekerheid", "confianza", "fiabilidad", "certeza", "probabilidad"),
)
IDS = (
    *("sourceid", "documentid", "docid", "deliveryid", "transactionid", "messageid", "requestid", "externalid"),
    *("batchid", "referenceid", "reference", "uuid", "guid", "id", "ref", "number", "docnumber"),
    *("dokumentid", "dokumentnummer", "vorgangsnummer", "belegnummer", "auftragsnummer", "aktenzeichen", "kennung"),
    *("referenz", "nummer", "nr", "identifiant", "numero", "num", "referentie", "identificador", "referencia", "folio"),
)
LISTS = (
    *("fields", "extraction", "extractions", "values", "attributes", "index", "indexes", "items", "results", "data"),
    *("felder", "merkmale", "werte", "champs", "valeurs", "velden", "waarden", "campos", "valores", "datos"),
)
PLACES = (  # where on the page something was read: numbers that are neither value nor confidence
    *(
        "x",
        "y",
        "w",
        "h",
        "left",
        "top",
        "right",
        "bottom",
        "width",
        "height",
        "x1",
        "x2",
        "y1",
        "y2",
        "page",
        "pageid",
    ),
    *("pagenumber", "line", "row", "column", "position", "index", "order", "seite", "zeile", "pagina", "ligne"),
)
OTHERS = (  # what looks like an id, and is that of somebody or something else
    *("patient", "patientid", "patientennummer", "version", "hash", "sha256", "md5", "checksum", "digest", "token"),
    *("device", "scanner", "station", "user", "operator", "client", "clientid", "customer", "tenant", "mandant"),
    *("model", "modelid", "skillid", "processorid", "templateid", "projectid", "schemaid", "engine"),
    *("phone", "fax", "telefon", "zip", "plz"),
)

EXACT = 100  # for a word that is one of them; less for each place further down the list
PARTLY = 40  # for one that ends with one of them: "patientName", "field_value"
LONG = 2  # letters of a word whose ending tells something: "position" ends with no "n"


def likeness(word: str, known: tuple[str, ...]) -> int:
    """Return how much a word is one of those known, from 0 to 100."""
    plain = _plain(word)
    if plain in known:
        return EXACT - known.index(plain)
    ends = (place for place, each in enumerate(known) if len(each) >= LONG and plain.endswith(each))
    return max((max(PARTLY - place, 1) for place in ends), default=0)


def role(name: str) -> str:
    """Return a field's role in a patient's record, such as mrn or dob; "" for none."""
    plain = _plain(name)
    return next((found for pattern, found in ROLES if re.search(pattern, plain)), "")


def _plain(word: str) -> str:
    """Leave letters without accents, and digits."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", word.lower()))


ROLES = (
    (r"mrn|medicalrecord|chart(no|nr|num)|patient(en)?(id|no|nr|num)|^pid$", "mrn"),
    (r"birth|dob$|geburtsdatum|datenaissance|geboortedatum|fechanacimiento|fechadenacimiento", "dob"),
    (r"(first|given|vor)name$|prenom$|voornaam$", "given"),
    (r"(last|family|sur|nach|familien)name$|nomdefamille$|achternaam$|apellidos?$", "family"),
    (r"^(patient(en)?)?(full)?name$|^patient$", "name"),
)
