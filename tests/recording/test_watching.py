"""Metrics are over all the data at each row."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from render.problem import datasets, losses, metrics
from render.recording import record

SGD = partial(torch.optim.SGD, lr=0.1)


def test_metrics_are_over_all_the_data_at_each_row(labels, network) -> None:
    def mean_logit(prediction, target):
        return float(prediction.mean())  # a number, not a tensor: cannot be batched

    run = record(
        network(),
        data := labels(),
        loss=losses.nll,
        optimizer=SGD,
        steps=6,
        batch_size=5,
        metrics=[metrics.accuracy, mean_logit],
    )
    assert list(run.metrics) == ["accuracy", "mean_logit"]
    for k in range(7):
        logits = torch.tensor(run.predict(data.x, k))
        assert run.metrics["accuracy"][k] == metrics.accuracy(logits, data.y)
        assert run.metrics["mean_logit"][k] == pytest.approx(logits.mean().item(), abs=1e-6)


def test_class_labels_train_with_torchs_own_loss(labels) -> None:
    x = labels().x
    data = datasets.of(x, (x[:, 0] > 0).long())
    run = record(
        nn.Linear(2, 2),
        data,
        loss=functional.cross_entropy,
        optimizer=SGD,
        steps=50,
        metrics=[metrics.accuracy],
    )
    assert run.loss[-1] < run.loss[0] and run.metrics["accuracy"][-1] > 0.8
