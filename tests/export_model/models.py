"""Models that export_model_test.py exports, or is refused to."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(),
                                    nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 3))

    def forward(self, image):
        return torch.softmax(self.layers(image), 1)


class TwoInTwoOut(nn.Module):
    """Takes tokens and a scale; leaves a loop in the script."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)

    def forward(self, tokens: torch.Tensor, scale: torch.Tensor):
        total = torch.zeros(tokens.shape[0], 4)
        for i in range(tokens.shape[1]):
            total = total + self.embedding(tokens[:, i]) * scale
        return total, tokens.sum(1)


class InPlace(nn.Module):
    def forward(self, x):
        return x.mul_(2).sum(1)


class MixesRows(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


class FixedBatch(nn.Module):
    def forward(self, x):
        return x.reshape(3, -1) * 2


class Random(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x, 0.5, True)


class ReturnsDict(nn.Module):
    def forward(self, x):
        return {"y": x}


class NoBatchInOutput(nn.Module):
    def forward(self, x):
        return x.sum()


class Raises(nn.Module):
    def forward(self, x):
        raise ValueError("first line\nsecond line")


def not_a_model():
    return 3
