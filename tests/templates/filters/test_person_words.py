"""What a word of a name is: a title, a suffix, a degree, a particle or a plain name."""

import pytest

from receiver.templates.filters.person_words import Particle, Words, folded, folded_degrees, is_father, is_link

PLAIN = Words()
OWN = Words(
    titles=folded(["Abogado", "Dña."]),
    suffixes=folded(["Filho"]),
    degrees=folded_degrees(["B.Sc.", "Do"]),
    particles=folded(["Tre", "d´"]),
    names=folded(["Dr", "JR.", "M.D.", "Van", "J", "op", "Tre.x"]),
)
NO, MAYBE, YES = Particle.NO, Particle.MAYBE, Particle.YES


@pytest.mark.parametrize(
    ("words", "kind", "right", "wrong"),
    [
        (PLAIN, "is_name", [], ["", "Dr", "Ann"]),
        (OWN, "is_name", ["Dr", "dr.", "jr", "M.D.", "m.d", "VAN."], ["md", ".van", "Ann", "Abogado"]),
        (PLAIN, "is_title", ["Dr", "DR.", "dr..", "Hon.", "capt."], ["Hon", "Capt", ".dr", "Abogado", "", "Ann"]),
        (OWN, "is_title", ["Abogado", "abogado.", "DÑA", "Mr"], ["Dr", "Dr.", ".abogado"]),
        (PLAIN, "is_suffix", ["Jr", "JR.", "iii", "Esq."], ["V", ".Jr", "Filho", ""]),
        (OWN, "is_suffix", ["Filho", "FILHO.", "Sr"], ["Jr", "jr."]),
        (PLAIN, "is_degree", ["MD", "M.D.", "PhD", "P.h.D", "FNP-C"], ["Md", "md", "B.Sc.", "BSc", ""]),
        (OWN, "is_degree", ["B.Sc.", "bsc", "BSC.", "PhD", "MD"], ["M.D.", "M.D"]),
        (PLAIN, "is_own_degree", [], ["MD", ""]),
        (OWN, "is_own_degree", ["BSc", "B.S.C.", "do"], ["MD"]),
        (PLAIN, "is_doubtful_degree", ["DO", "MA", "PA"], ["Do", "D.O.", "MD"]),
        (OWN, "is_doubtful_degree", ["MA"], ["DO", "MD"]),
        (PLAIN, "is_initial", ["J", "J.", "É..", "J.."], ["j", "j.", ".J", "JR", "J.K.", "1", ".", "王"]),
        (OWN, "is_initial", ["K", "K."], ["J", "J.", "k"]),
    ],
)
def test_a_word_is_of_a_kind_as_it_is_written(words, kind, right, wrong):
    judged = getattr(words, kind)
    assert ([each for each in right + wrong if judged(each)], {judged(each) for each in wrong}) == (right, {False})


@pytest.mark.parametrize(
    ("words", "word", "following", "found"),
    [
        (PLAIN, "der", "", YES),
        (PLAIN, "Der", "", YES),
        (PLAIN, "DER", "", YES),
        (PLAIN, "van", "", YES),
        (PLAIN, "Van", "", MAYBE),
        (PLAIN, "VAN", "Berg", MAYBE),
        (PLAIN, "d’", "", YES),
        (PLAIN, "d`", "", YES),
        (PLAIN, "tre", "", NO),
        (PLAIN, "Berg", "van", NO),
        (PLAIN, "in", "", NO),
        (PLAIN, "in", "Berg", NO),
        (PLAIN, "In", "'t", YES),
        (PLAIN, "op", "den", YES),
        (PLAIN, "op", "Van", MAYBE),
        (PLAIN, "op", "in", NO),
        (OWN, "Tre", "", YES),
        (OWN, "tre.", "", YES),
        (OWN, "D'", "", YES),
        (OWN, "van", "", NO),
        (OWN, "op", "den", NO),
        (OWN, "in", "van", NO),
        (OWN, "Al", "", MAYBE),
    ],
)
def test_a_particle_belongs_to_the_name_after_it(words, word, following, found):
    assert words.particle(word, following) is found


def test_a_father_and_a_link_are_known_as_they_are_written():
    assert [is_father(each) for each in ("Bin", "BINT.", "ibn", "ben", "")] == [True, True, True, False, False]
    assert [is_link(each) for each in ("y", "–", "-", "e", "Y", "E", "--", "")] == [True] * 4 + [False] * 4
