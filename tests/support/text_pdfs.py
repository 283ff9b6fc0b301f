"""PDFs with a text layer: lines printed on pages, and forms that were filled in."""

from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name

WIDTH, HEIGHT = 600, 800
Line = tuple[float, float, str]  # left and bottom in points, and what stands there


def text_pdf(*pages: list[Line], rotate: int = 0, crop: list[int] | None = None) -> bytes:
    """Return a PDF of pages with lines of text."""
    buffer = BytesIO()
    with pikepdf.new() as pdf:
        fonts = _fonts(pdf)
        for lines in pages:
            pdf.add_blank_page(page_size=(WIDTH, HEIGHT))
            page = pdf.pages[-1]
            page.Resources = Dictionary(Font=fonts)
            shown = b"".join(b"BT /F 12 Tf %g %g Td (%s) Tj ET\n" % (x, y, _quoted(text)) for x, y, text in lines)
            page.Contents = pdf.make_stream(shown)
            page.Rotate = rotate
            if crop:
                page.CropBox = crop
        pdf.save(buffer)
    return buffer.getvalue()


def _quoted(text: str) -> bytes:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252")


def form_pdf(label: str, value: str, *, kind: str = "Widget", flags: int = 4, appearance: bool = True) -> bytes:
    """Return a page with a label and, right of it, what was filled in: a field of a form, or a text typed onto it."""
    buffer = BytesIO()
    with pikepdf.open(BytesIO(text_pdf([(80, 600, label)]))) as pdf:
        note = Dictionary(Type=Name.Annot, Subtype=Name(f"/{kind}"), Rect=Array([200, 595, 400, 615]), F=flags)
        note.update(Dictionary(FT=Name.Tx, T="mrn", V=value, DA="/F 12 Tf"))
        if appearance:
            note.AP = Dictionary(N=pdf.make_stream(b"BT /F 12 Tf 2 5 Td (%s) Tj ET" % _quoted(value)))
            drawn = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 200, 20])}
            note.AP.N.update(Dictionary(**drawn, Resources=Dictionary(Font=_fonts(pdf))))
        pdf.pages[0].Annots = Array([pdf.make_indirect(note)])
        if kind == "Widget":
            form = Dictionary(
                Fields=pdf.pages[0].Annots, DR=Dictionary(Font=_fonts(pdf)), NeedAppearances=not appearance
            )
            pdf.Root.AcroForm = form
        pdf.save(buffer)
    return buffer.getvalue()


def _fonts(pdf: pikepdf.Pdf) -> Dictionary:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    return Dictionary(F=pdf.make_indirect(font))
