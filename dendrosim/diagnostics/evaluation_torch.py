"""PyTorch models under the evaluation protocol, through hooks; torch is needed only here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import short
from ..errors import MissingDependencyError, ParameterError, how_to_get
from .evaluation import Layers
from .evaluation_subjects import Auditable

Floats = NDArray[Any]


@dataclass(frozen=True)
class TorchLesson:
    """What a credit rule for a PyTorch model has to go by; gradients are those of each sample's own loss.

    Attributes
    ----------
    activity : list of L + 1 tensors of shape (N, ...)
        h_0 .. h_L, detached.
    error : tensor of shape (N, n_classes)
        softmax(z) - onehot(y).
    top : tensor
        g_L, exact.
    gradient : list of L + 1 tensors
        g_0 .. g_L, exact; a rule that is not backpropagation has no use for them.
    targets : tensor of shape (N,)
    """

    activity: list[Any]
    error: Any
    top: Any
    gradient: list[Any]
    targets: Any


CreditFunction = Callable[[TorchLesson], Sequence[Any]]


class TorchSubject(Auditable):
    """A trained ``torch.nn.Module``, and the credits that trained it.

    The residual stream is read where it enters modules: pass L + 1 modules of which the inputs are h_0 .. h_L. For a
    pre-LayerNorm network these are its blocks, and the normalisation (or head) after the last of them. The model must
    not detach between them when it is audited: the reference gradient could not pass.

    Parameters
    ----------
    model : torch.nn.Module
        Gives logits (N, n_classes) of inputs (N, ...).
    entries : sequence of modules, or of names as in ``model.named_modules()``
        Where h_0 .. h_L enter.
    credit : callable, optional
        Of a `TorchLesson`: what block 0 .. L-1 is told, tensors shaped like h_1 .. h_L. By default backpropagation.
    first : callable, optional
        Of a `TorchLesson`: what the layer before h_0 is told; by default what block 0 is told.
    redraw : callable, optional
        Of a numpy Generator: another `credit` function with fresh random feedback.
    name : str, optional
    device : str, default "cpu"

    Raises
    ------
    MissingDependencyError
        If PyTorch is not installed.
    ParameterError
        If the model or its entries are not what is needed.

    Examples
    --------
    >>> subject = TorchSubject(model, [*model.blocks, model.norm],  # doctest: +SKIP
    ...                        credit=lambda lesson: [lesson.error @ B for B in feedback])
    """

    def __init__(
        self,
        model: Any,
        entries: Sequence[Any],
        credit: CreditFunction | None = None,
        *,
        first: Callable[[TorchLesson], Any] | None = None,
        redraw: Callable[[np.random.Generator], CreditFunction] | None = None,
        name: str | None = None,
        device: str = "cpu",
    ) -> None:
        torch = _torch()
        if not isinstance(model, torch.nn.Module):
            raise ParameterError(f"model must be a torch.nn.Module; got {short(model)}")
        known = {label: module for label, module in model.named_modules() if label}
        labels = {id(module): label for label, module in known.items()}
        self._entries: list[str] = []
        for i, entry in enumerate(entries):
            label = entry if isinstance(entry, str) else labels.get(id(entry))
            if label is None or label not in known:
                raise ParameterError(
                    f"entries[{i}]={short(entry)} is no module of the model; there are {', '.join(known)}"
                )
            self._entries.append(label)
        if len(self._entries) < 2:
            raise ParameterError(
                "entries has fewer than two modules; give each block, and what follows the last of them"
            )
        self.model, self.credit, self.first, self.redraw, self.device = model, credit, first, redraw, device
        self._dtype = next((p.dtype for p in model.parameters()), torch.float32)
        self.name = type(model).__name__ if name is None else name

    @contextmanager
    def _listening(self, heard: dict[int, Any], moves: dict[int, Any]) -> Iterator[Any]:
        """The model in evaluation mode, with hooks that add `moves` to the inputs of entries and keep them."""
        modules = dict(self.model.named_modules())
        handles = []

        def hook_of(i: int) -> Callable[..., Any]:
            def hook(module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
                if i in heard:
                    raise ParameterError(f"{self._entries[i]} runs twice in a pass; entries must be passed once each")
                heard[i] = inputs[0] + moves[i] if i in moves else inputs[0]
                return (heard[i], *inputs[1:])

            return hook

        training = self.model.training
        try:
            self.model.eval()
            for i, label in enumerate(self._entries):
                handles.append(modules[label].register_forward_pre_hook(hook_of(i)))
            yield self.model
        finally:
            for handle in handles:
                handle.remove()
            self.model.train(training)

    def _tensor(self, array: ArrayLike) -> Any:
        torch = _torch()
        dtype = next((p.dtype for p in self.model.parameters()), torch.float32)
        return torch.as_tensor(np.array(array, order="C")).to(self.device, dtype)  # a copy: tasks are read-only

    def _heard(self, heard: dict[int, Any]) -> list[Any]:
        missing = [label for i, label in enumerate(self._entries) if i not in heard]
        if missing:
            raise ParameterError(f"{missing[0]} was not reached in a forward pass; entries must all be on the way")
        return [heard[i] for i in range(len(self._entries))]

    def layers(self, x: ArrayLike, y: ArrayLike) -> Layers:
        torch = _torch()
        targets = torch.as_tensor(np.array(y)).to(self.device, torch.int64)
        heard: dict[int, Any] = {}
        with self._listening(heard, {}) as model, torch.enable_grad():
            inputs = self._tensor(x).requires_grad_()  # so that frozen models have gradients too
            logits = model(inputs)
            stream = self._heard(heard)
            losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
            reached = [h for h in stream if h.requires_grad]
            found = iter(torch.autograd.grad(losses.sum(), reached, allow_unused=True) if reached else ())
            gradient = [next(found) if h.requires_grad else None for h in stream]
        for label, g in zip(self._entries, gradient, strict=True):
            if g is None:
                raise ParameterError(
                    f"the loss has no gradient at the input of {label}: the model detaches before or after it, or "
                    "does not use it; audit a forward pass that does not detach"
                )
        with torch.no_grad():
            error = torch.softmax(logits, 1) - torch.nn.functional.one_hot(targets, logits.shape[1])
            told = list(gradient[1:])
            lesson = self._lesson([*stream], error, [*gradient], targets)
            if self.credit is not None:
                told = [one.to(error.dtype) for one in self.credit(lesson)]
            reported = list(gradient[:-1]) if self.credit is None else told
            if len(told) != len(stream) - 1:
                raise ParameterError(f"credit gave {len(told)} layers; the {len(stream) - 1} blocks need one each")
            before = gradient[0] if self.credit is None else told[0]
            before = before if self.first is None else self.first(lesson)
        rows, gradients, credits, compared = ([_rows(v) for v in part] for part in (stream, gradient, told, reported))
        return Layers(rows, gradients, credits, compared, _rows(before), _rows(losses)[:, 0])

    def _lesson(self, stream: list[Any], error: Any, gradient: list[Any], targets: Any) -> TorchLesson:
        """What credit rules see, in the dtype that the model was given in: their matrices have it too."""
        activity, seen = ([v.detach().to(self._dtype) for v in part] for part in (stream, gradient))
        return TorchLesson(activity, error.detach().to(self._dtype), seen[-1], seen, targets)

    def predict(self, x: ArrayLike) -> Floats:
        torch = _torch()
        found = []
        array = np.asarray(x)
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            for i in range(0, len(array), 1024):
                found.append(self.model(self._tensor(array[i : i + 1024])).cpu().numpy())
        self.model.train(training)
        return np.concatenate(found)

    def in_double(self) -> TorchSubject:
        made = copy.copy(self)
        made.model = copy.deepcopy(self.model).double()
        return made

    def losses_after(self, x: ArrayLike, y: ArrayLike, layer: int, move: Floats) -> Floats:
        torch = _torch()
        heard: dict[int, Any] = {}
        targets = torch.as_tensor(np.array(y)).to(self.device, torch.int64)
        shape = self._shape_of(x, layer)
        with self._listening(heard, {layer: self._tensor(move).reshape(shape)}) as model, torch.no_grad():
            losses = torch.nn.functional.cross_entropy(model(self._tensor(x)), targets, reduction="none")
        return np.asarray(losses.cpu().numpy())

    def _shape_of(self, x: ArrayLike, layer: int) -> Any:
        torch = _torch()
        heard: dict[int, Any] = {}
        with self._listening(heard, {}) as model, torch.no_grad():
            model(self._tensor(x))
        return heard[layer].shape

    def redrawn(self, rng: np.random.Generator) -> TorchSubject:
        if self.redraw is None:
            return super().redrawn(rng)  # type: ignore[return-value]
        made = copy.copy(self)
        made.credit = self.redraw(rng)
        return made


def _rows(tensor: Any) -> Floats:
    array: Floats = tensor.detach().cpu().numpy()
    return array.reshape(len(array), -1)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(f"PyTorch is needed to audit its models: {how_to_get('torch')}") from error
    return torch
