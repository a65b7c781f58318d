"""Writes ../resources/squad/normalize.json: texts and what Python's str and re make of them, by SQuAD's rules.

    python3 make_squad_golden.py > ../resources/squad/normalize.json

The texts are drawn from characters on which languages differ: sigmas, dotted capital i, combining marks, many kinds
of white space, digits and quotation marks, characters outside the basic plane.
"""

import collections
import json
import random
import re
import string

MIXT5_SYMBOLS = "\u300a\u300b<>\u3008\u3009()\u2018\u2019'\""
PIECES = (
    ["a", "an", "the", "The", "A", "AN", "tHe", "cat", "ant", "theme", "_", "7", "2"]
    + list(string.punctuation)
    + list(MIXT5_SYMBOLS)
    + list(" \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2007\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff")
    + list("\u03a3\u03c3\u03c2\u039f\u0130I\u0131\u00df\u1e9e\u01c5\u0149\ufb01")
    + list("\u0301\u0307\u0345\u00ad\u02b0\u00b7\u2027\u2019:.\u00aa\u00b2\u00bd\u2167\u2170\u24b6\u0660\u096b")
    + list("\u00e9\u00c9\u4e2d\u6587\u3042\u0e01\u0e31\u0915\u093f\u20ac\u201c\u201d\u2013")
    + list("\U0001f600\U00010400\U00010428\U0001d7d8\U0001d400\U00020000\U000e0100")
)


def normalize(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def mixt5(text):
    return normalize("".join(" " if c in MIXT5_SYMBOLS else c for c in text))


def f1(prediction, answer):
    predicted, expected = prediction.split(), answer.split()
    same = sum((collections.Counter(predicted) & collections.Counter(expected)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(predicted), same / len(expected)
    return 2 * precision * recall / (precision + recall)


def main():
    rng = random.Random(7)
    cases = []
    for _ in range(200):
        texts = []
        for _ in range(2):
            pieces = [rng.choice(PIECES) for _ in range(rng.randint(1, 12))]
            texts.append("".join(p + (" " if rng.random() < 0.3 else "") for p in pieces))
        if rng.random() < 0.5:  # Most random pairs share nothing.
            texts[1] = texts[0].upper() + " " + texts[1]
        official = [normalize(t) for t in texts]
        own = [mixt5(t) for t in texts]
        cases.append({
            "texts": texts, "official": official, "mixt5": own,
            "official_f1": f1(*official), "mixt5_f1": f1(*own),
        })
    print("[" + ",\n".join(json.dumps(case) for case in cases) + "]")


main()
