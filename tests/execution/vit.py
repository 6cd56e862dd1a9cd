"""A small vision transformer trained on the digits; made once per process."""

import functools

from .digits import SIZE, digits_dir, grey


@functools.cache
def trained_transformer():
    """Return a transformer of one block with four heads, trained on the training part of the digits."""
    import torch
    from timm.models.vision_transformer import VisionTransformer

    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = VisionTransformer(
        img_size=SIZE, patch_size=4, in_chans=1, num_classes=10, embed_dim=32, depth=1, num_heads=4,
        class_token=False, global_pool="avg",
    )  # fmt: skip
    data = open_data(digits_dir(), 10)
    images, labels = next(ImageReader(grey(), 1).batches(data.train, len(data.train)))
    train(module, torch.from_numpy(images), torch.from_numpy(labels))
    return module.eval()


def train(module, images, labels, epochs=12, batch=32):
    """Train on tensors in memory, unshifted: a transformer needs more epochs than a CNN, and these are fast."""
    import torch

    rate, steps = 0.01, epochs * (len(images) // batch)
    optimizer = torch.optim.AdamW(module.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images))[: steps // epochs * batch].view(-1, batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
