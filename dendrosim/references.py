"""The literature that dendrosim rests on, in one place, and which part of the library rests on what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography.

    Parameters
    ----------
    kind : str
        BibTeX entry type.
    author : str
        Authors as BibTeX takes them, ``Family, Given and Family, Given``.
    title, year : str
        As printed; the year is empty where none is known.
    fields : tuple of (str, str)
        The other BibTeX fields, in order.
    """

    kind: str
    author: str
    title: str
    year: str
    fields: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """One line for a reading person."""
        given = dict(self.fields)
        names = [_short(name) for name in self.author.split(" and ")]
        parts = [", ".join(names) + (f" ({self.year})" if self.year else ""), self.title]
        place = given.get("journal") or given.get("booktitle") or given.get("publisher") or given.get("note") or ""
        if "booktitle" in given:
            place = f"In: {place}, {given['publisher']}"
        if "volume" in given:
            place += f" {given['volume']}" + (f"({given['number']})" if "number" in given else "")
        if "pages" in given:
            place += (":" if "volume" in given else ", pp. ") + given["pages"].replace("--", "-")
        parts += [place] if place else []
        parts += [f"https://doi.org/{given['doi']}"] if "doi" in given else []
        return ". ".join(parts)

    def bibtex(self, key: str) -> str:
        """The entry as BibTeX, under `key`."""
        rows = [("author", self.author), ("title", "{" + self.title + "}"), ("year", self.year), *self.fields]
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in rows if value)
        return f"@{self.kind}{{{key},\n{body}\n}}"


def _short(name: str) -> str:
    """``Family, Given Names`` as ``Family GN``; a name in braces (a group) without them."""
    if name.startswith("{"):
        return name.strip("{}")
    family, _, given = name.partition(", ")
    return f"{family} {''.join(part[0] for part in given.replace('-', ' ').split())}".strip()


def _article(
    author: str, title: str, year: str, journal: str, volume: str, pages: str, doi: str = "", number: str = ""
) -> Reference:
    fields = [("journal", journal), ("volume", volume), ("number", number), ("pages", pages), ("doi", doi)]
    return Reference("article", author, title, year, tuple(field for field in fields if field[1]))


REFERENCES: dict[str, Reference] = {
    "dendrosim": Reference(
        "software",
        "{The dendrosim authors}",
        "dendrosim: biophysical dendritic neurons that learn with local rules",
        "2026",
        (("note", "Python package"),),
    ),
    "local_credit": Reference(
        "unpublished",
        "{Anonymous}",
        "Local Credit Assignment in Compartmental Dendritic Networks",
        "",
        (("note", "Manuscript under review"),),
    ),
    "rall1959": _article(
        "Rall, Wilfrid",
        "Branching dendritic trees and motoneuron membrane resistivity",
        "1959",
        "Experimental Neurology",
        "1",
        "491--527",
        "10.1016/0014-4886(59)90046-9",
        "5",
    ),
    "rall1962": _article(
        "Rall, Wilfrid",
        "Theory of physiological properties of dendrites",
        "1962",
        "Annals of the New York Academy of Sciences",
        "96",
        "1071--1092",
        "10.1111/j.1749-6632.1962.tb54120.x",
        "4",
    ),
    "rall1964": Reference(
        "incollection",
        "Rall, Wilfrid",
        "Theoretical significance of dendritic trees for neuronal input-output relations",
        "1964",
        (("booktitle", "Neural Theory and Modeling"), ("publisher", "Stanford University Press"), ("pages", "73--97")),
    ),
    "koch1982": _article(
        "Koch, Christof and Poggio, Tomaso and Torre, Vincent",
        "Retinal ganglion cells: a functional interpretation of dendritic morphology",
        "1982",
        "Philosophical Transactions of the Royal Society of London B",
        "298",
        "227--263",
        "10.1098/rstb.1982.0084",
        "1090",
    ),
    "koch1983": _article(
        "Koch, Christof and Poggio, Tomaso and Torre, Vincent",
        "Nonlinear interactions in a dendritic tree: localization, timing, and role in information processing",
        "1983",
        "Proceedings of the National Academy of Sciences",
        "80",
        "2799--2802",
        "10.1073/pnas.80.9.2799",
        "9",
    ),
    "koch1999": Reference(
        "book",
        "Koch, Christof",
        "Biophysics of Computation: Information Processing in Single Neurons",
        "1999",
        (("publisher", "Oxford University Press"),),
    ),
    "hines1984": _article(
        "Hines, Michael",
        "Efficient computation of branched nerve equations",
        "1984",
        "International Journal of Bio-Medical Computing",
        "15",
        "69--76",
        "10.1016/0020-7101(84)90008-4",
        "1",
    ),
    "stratford1989": Reference(
        "incollection",
        "Stratford, Ken and Mason, Adrian and Larkman, Alan and Major, Guy and Jack, Julian",
        "The modelling of pyramidal neurones in the visual cortex",
        "1989",
        (("booktitle", "The Computing Neuron"), ("publisher", "Addison-Wesley"), ("pages", "296--321")),
    ),
    "holmes1992": _article(
        "Holmes, William R. and Rall, Wilfrid",
        "Estimating the electrotonic structure of neurons with compartmental models",
        "1992",
        "Journal of Neurophysiology",
        "68",
        "1438--1452",
        "10.1152/jn.1992.68.4.1438",
        "4",
    ),
    "cannon1998": _article(
        "Cannon, Robert C. and Turner, Dennis A. and Pyapali, Gopal K. and Wheal, Howard V.",
        "An on-line archive of reconstructed hippocampal neurons",
        "1998",
        "Journal of Neuroscience Methods",
        "84",
        "49--54",
        "10.1016/S0165-0270(98)00091-0",
        "1-2",
    ),
    "hines2001": _article(
        "Hines, Michael L. and Carnevale, Nicholas T.",
        "NEURON: a tool for neuroscientists",
        "2001",
        "The Neuroscientist",
        "7",
        "123--135",
        "10.1177/107385840100700207",
        "2",
    ),
    "cuntz2010": _article(
        "Cuntz, Hermann and Forstner, Friedrich and Borst, Alexander and Häusser, Michael",
        "One rule to grow them all: a general theory of neuronal branching and its practical application",
        "2010",
        "PLoS Computational Biology",
        "6",
        "e1000877",
        "10.1371/journal.pcbi.1000877",
        "8",
    ),
    "cuntz2007": _article(
        "Cuntz, Hermann and Borst, Alexander and Segev, Idan",
        "Optimization principles of dendritic structure",
        "2007",
        "Theoretical Biology and Medical Modelling",
        "4",
        "21",
        "10.1186/1742-4682-4-21",
    ),
    "vanpelt1997": _article(
        "van Pelt, Jaap and Dityatev, Alexander E. and Uylings, Harry B. M.",
        "Natural variability in the number of dendritic segments: model-based inferences about branching during "
        "neurite outgrowth",
        "1997",
        "Journal of Comparative Neurology",
        "387",
        "325--340",
        number="3",
    ),
    "destexhe1998": Reference(
        "incollection",
        "Destexhe, Alain and Mainen, Zachary F. and Sejnowski, Terrence J.",
        "Kinetic models of synaptic transmission",
        "1998",
        (("booktitle", "Methods in Neuronal Modeling, 2nd ed."), ("publisher", "MIT Press"), ("pages", "1--25")),
    ),
    "alpaydin1998": Reference(
        "misc",
        "Alpaydin, Ethem and Kaynak, Cenk",
        "Optical Recognition of Handwritten Digits",
        "1998",
        (("publisher", "UCI Machine Learning Repository"), ("doi", "10.24432/C50P49")),
    ),
    "lecun1998": _article(
        "LeCun, Yann and Bottou, Léon and Bengio, Yoshua and Haffner, Patrick",
        "Gradient-based learning applied to document recognition",
        "1998",
        "Proceedings of the IEEE",
        "86",
        "2278--2324",
        "10.1109/5.726791",
        "11",
    ),
    "krizhevsky2009": Reference(
        "techreport",
        "Krizhevsky, Alex",
        "Learning multiple layers of features from tiny images",
        "2009",
        (("publisher", "University of Toronto"),),
    ),
    "xiao2017": Reference(
        "misc",
        "Xiao, Han and Rasul, Kashif and Vollgraf, Roland",
        "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
        "2017",
        (("note", "arXiv:1708.07747"),),
    ),
    "kraskov2004": _article(
        "Kraskov, Alexander and Stögbauer, Harald and Grassberger, Peter",
        "Estimating mutual information",
        "2004",
        "Physical Review E",
        "69",
        "066138",
        "10.1103/PhysRevE.69.066138",
        "6",
    ),
    "ross2014": _article(
        "Ross, Brian C.",
        "Mutual information between discrete and continuous data sets",
        "2014",
        "PLoS ONE",
        "9",
        "e87357",
        "10.1371/journal.pone.0087357",
        "2",
    ),
    "adam2015": Reference(
        "inproceedings",
        "Kingma, Diederik P. and Ba, Jimmy",
        "Adam: a method for stochastic optimization",
        "2015",
        (("booktitle", "International Conference on Learning Representations"), ("publisher", "arXiv:1412.6980")),
    ),
    "loshchilov2019": Reference(
        "inproceedings",
        "Loshchilov, Ilya and Hutter, Frank",
        "Decoupled weight decay regularization",
        "2019",
        (("booktitle", "International Conference on Learning Representations"), ("publisher", "arXiv:1711.05101")),
    ),
    "lillicrap2016": _article(
        "Lillicrap, Timothy P. and Cownden, Daniel and Tweed, Douglas B. and Akerman, Colin J.",
        "Random synaptic feedback weights support error backpropagation for deep learning",
        "2016",
        "Nature Communications",
        "7",
        "13276",
        "10.1038/ncomms13276",
    ),
    "nokland2016": Reference(
        "inproceedings",
        "Nøkland, Arild",
        "Direct feedback alignment provides learning in deep neural networks",
        "2016",
        (("booktitle", "Advances in Neural Information Processing Systems 29"), ("publisher", "arXiv:1609.01596")),
    ),
    "kolen1994": Reference(
        "inproceedings",
        "Kolen, John F. and Pollack, Jordan B.",
        "Backpropagation without weight transport",
        "1994",
        (
            ("booktitle", "IEEE International Conference on Neural Networks"),
            ("publisher", "IEEE"),
            ("pages", "1375--1380"),
            ("doi", "10.1109/ICNN.1994.374486"),
        ),
    ),
    "akrout2019": Reference(
        "inproceedings",
        "Akrout, Mohamed and Wilson, Collin and Humphreys, Peter C. and Lillicrap, Timothy and Tweed, Douglas",
        "Deep learning without weight transport",
        "2019",
        (("booktitle", "Advances in Neural Information Processing Systems 32"), ("publisher", "arXiv:1904.05391")),
    ),
    "erdogan2025": Reference(
        "misc",
        "Erdogan, Mete and Pehlevan, Cengiz and Erdogan, Alper T.",
        "Error broadcast and decorrelation as a potential artificial and natural learning mechanism",
        "2025",
        (("note", "arXiv:2504.11558"),),
    ),
    "uzun2026": Reference(
        "misc",
        "Uzun, Mustafa and Erdogan, Mete and Pehlevan, Cengiz and Erdogan, Alper T.",
        "Score broadcast and decorrelation: a general framework for broadcast-based credit assignment",
        "2026",
        (("note", "arXiv:2605.30638"),),
    ),
    "kang2026": Reference(
        "misc",
        "Kang, Byungwoo and Richards, Maceo and Sabatini, Bernardo",
        "Credit assignment via neural manifold noise correlation",
        "2026",
        (("note", "arXiv:2601.02636"),),
    ),
    "werfel2005": _article(
        "Werfel, Justin and Xie, Xiaohui and Seung, H. Sebastian",
        "Learning curves for stochastic gradient descent in linear feedforward networks",
        "2005",
        "Neural Computation",
        "17",
        "2699--2718",
        "10.1162/089976605774320539",
        "12",
    ),
    "facco2017": _article(
        "Facco, Elena and d'Errico, Maria and Rodriguez, Alex and Laio, Alessandro",
        "Estimating the intrinsic dimension of datasets by a minimal neighborhood information",
        "2017",
        "Scientific Reports",
        "7",
        "12140",
        "10.1038/s41598-017-11873-y",
    ),
    "gneiting2007": _article(
        "Gneiting, Tilmann and Raftery, Adrian E.",
        "Strictly proper scoring rules, prediction, and estimation",
        "2007",
        "Journal of the American Statistical Association",
        "102",
        "359--378",
        "10.1198/016214506000001437",
        "477",
    ),
}

TOPICS: dict[str, tuple[str, ...]] = {
    "swc": ("cannon1998",),
    "growth": ("cuntz2010",),
    "random_branching": ("vanpelt1997",),
    "taper": ("cuntz2007",),
    "cable": ("rall1959", "rall1964"),
    "equivalent_cylinder": ("rall1962",),
    "d_lambda": ("hines2001",),
    "spines": ("stratford1989", "holmes1992"),
    "elimination": ("hines1984",),
    "transfer_resistance": ("koch1982",),
    "shunting": ("koch1983",),
    "synapses": ("koch1999",),
    "synapse_kinds": ("destexhe1998",),
    "directed": ("local_credit",),
    "credit": ("local_credit",),
    "fidelity": ("local_credit",),
    "information": ("ross2014", "kraskov2004"),
    "digits": ("alpaydin1998",),
    "mnist": ("lecun1998",),
    "fashion_mnist": ("xiao2017",),
    "cifar10": ("krizhevsky2009",),
    "figure_ground_mnist": ("lecun1998", "local_credit"),
    "noise_subspace_mnist": ("lecun1998", "local_credit"),
    "noise_lines": ("local_credit",),
    "info_shunting": ("local_credit",),
    "hierarchical": ("local_credit",),
    "adam": ("adam2015",),
    "adamw": ("adam2015", "loshchilov2019"),
    "weight_decay": ("loshchilov2019",),
    "scalar": ("local_credit",),
    "per_soma": ("local_credit",),
    "shuffled": ("local_credit",),
    "low_rank": ("local_credit",),
    "local_mismatch": ("local_credit",),
    "fa": ("lillicrap2016",),
    "dfa": ("nokland2016",),
    "kp": ("kolen1994", "akrout2019"),
    "ebd": ("erdogan2025",),
    "sbd": ("uzun2026", "erdogan2025"),
    "vnc": ("kang2026",),
    "nmnc": ("kang2026",),
    "mirror": ("akrout2019", "kang2026"),
    "node_perturbation": ("werfel2005",),
    "brier": ("gneiting2007",),
    "spherical": ("gneiting2007",),
    "scoring_rule": ("gneiting2007",),
    "intrinsic_dimension": ("facco2017",),
    "rules": ("local_credit",),
}
