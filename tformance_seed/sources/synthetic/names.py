"""Names of things in code, in the forms in which languages write them."""


class Name:
    """A name of one or several words, in lower case.

    Parameters:
      plain: the words as people write them: ``seat allocation``.
      pascal: the name of a class: ``SeatAllocation``.
      snake: the name of a module: ``seat_allocation``.
      kebab: the name of a folder or a page: ``seat-allocation``.
    """

    __slots__ = ("kebab", "pascal", "plain", "snake", "words")

    def __init__(self, words: tuple[bytes, ...]) -> None:
        self.words = words
        self.plain = b" ".join(words)
        self.pascal = b"".join([word.capitalize() for word in words])
        self.snake = b"_".join(words)
        self.kebab = b"-".join(words)
