"""The literature of other simulators and of formats that models are exchanged in."""

from __future__ import annotations

from .reference import Reference, article

OF_FORMATS: dict[str, Reference] = {
    "cannon2014": article(
        "Cannon, Robert C. and Gleeson, Padraig and Crook, Sharon and Ganapathy, Gautham and Marin, Boris and Piasini, "
        "Eugenio and Silver, R. Angus",
        "LEMS: a language for expressing complex biological models in concise and hierarchical form and its use in "
        "underpinning NeuroML 2",
        "2014",
        "Frontiers in Neuroinformatics",
        "8",
        "79",
        "10.3389/fninf.2014.00079",
    ),
    "vella2014": article(
        "Vella, Michael and Cannon, Robert C. and Crook, Sharon and Davison, Andrew P. and Ganapathy, Gautham and "
        "Robinson, Hugh P. C. and Silver, R. Angus and Gleeson, Padraig",
        "libNeuroML and PyLEMS: using Python to combine procedural and declarative modeling approaches in "
        "computational neuroscience",
        "2014",
        "Frontiers in Neuroinformatics",
        "8",
        "38",
        "10.3389/fninf.2014.00038",
    ),
    "dai2020": article(
        "Dai, Kael and Hernando, Juan and Billeh, Yazan N. and Gratiy, Sergey L. and Planas, Judit and Davison, "
        "Andrew P. and Dura-Bernal, Salvador and Gleeson, Padraig and Devresse, Adrien and Dichter, "
        "Benjamin K. and others",
        "The SONATA data format for efficient description of large-scale network models",
        "2020",
        "PLOS Computational Biology",
        "16",
        "e1007696",
        "10.1371/journal.pcbi.1007696",
        "2",
    ),
}
