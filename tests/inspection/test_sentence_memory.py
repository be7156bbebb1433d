"""What is remembered of sentences: the last ones, within bounds that hold whatever mail brings."""

from concurrent.futures import ThreadPoolExecutor

from gateway.inspection.memory import KEPT, LONGEST, ROOM, Remembered


class Counted:
    """A function that notes what it was asked."""

    def __init__(self):
        self.asked = []
        self.remembered = Remembered(self.made)

    def made(self, sentence):
        self.asked.append(sentence)
        return sentence.upper()

    def makes(self, sentence):
        """Return whether ``sentence`` has to be made anew."""
        before = len(self.asked)
        assert self.remembered(sentence) == sentence.upper()
        return len(self.asked) > before


def long(number):
    return f"i love you {number} ".ljust(LONGEST, "(")


def test_long_sentences_take_no_more_room_than_short_ones():
    """A parse of 400 marks takes a hundred times what one of ordinary words does: of those far fewer are remembered."""
    counted = Counted()
    for number in range(KEPT):
        counted.remembered(long(number))
    kept = ROOM // LONGEST
    assert kept < KEPT / 5
    assert not any(counted.makes(long(number)) for number in range(KEPT - kept, KEPT))
    assert counted.makes(long(KEPT - kept - 1))


def test_of_short_sentences_so_many_are_remembered():
    """The one that was not asked for the longest goes first."""
    counted = Counted()
    for number in range(KEPT):
        counted.remembered(f"no {number}")
    assert not counted.makes("no 0")
    assert counted.makes("one more")
    assert not counted.makes("no 0")
    assert counted.makes("no 1")


def test_a_sentence_that_is_too_long_is_not_remembered():
    """It is made each time, and takes nobody's place."""
    counted = Counted()
    counted.remembered("short")
    for _ in range(ROOM // LONGEST + 1):
        assert counted.makes("x" * (LONGEST + 1))
    assert not counted.makes("short")


def test_room_is_given_back():
    """What was forgotten takes no room; one that is told to remember none remembers none, all means all."""
    counted = Counted()
    for _ in range(3):
        for number in range(ROOM // LONGEST):
            counted.remembered(long(number))
        assert not counted.makes(long(0))
        counted.remembered.forget()
        assert counted.makes(long(0))
    counted.remembered.keep(0)
    assert counted.makes("no")
    assert counted.makes("no")
    counted.remembered.keep(None)
    for number in range(KEPT + 1):
        counted.remembered(long(number))
    assert not counted.makes(long(0))


def test_threads_get_what_is_made_of_their_sentence():
    """Many at once, in a memory too small for them: nobody gets another's, and nothing is lost count of."""
    counted = Counted()
    counted.remembered.keep(3)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(counted.remembered, (f"no {number % 7}" for number in range(20_000))))
    assert said == [f"NO {number % 7}" for number in range(20_000)]
    assert counted.remembered._length == sum(map(len, counted.remembered._kept))
