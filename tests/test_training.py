"""Training: it learns, repeats itself bit for bit, goes on where it stopped, and stops when it diverges."""

from itertools import combinations, count, groupby
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from autoencoder.data import Split
from autoencoder.models import AE, PCA, VAE, build_model
from autoencoder.recipe import TRAIN_PARAMS, TrainParams, schedules
from autoencoder.training import Training, TrainingDiverged, fit_pca, start_at_mean_image
from tests.pretended_gpu import GPUTensor, pretended_gpu
from tests.small_params import AE_PARAMS, VAE_PARAMS

ARTICLE = {"epochs": 4, "batch_size": 16, "learning_rate": 0.001}
VARIANTS = {
    "ae": AE_PARAMS,
    "vae": VAE_PARAMS,
    "gaussian": {**VAE_PARAMS, "likelihood": "gaussian"},
    "dynamic": {**VAE_PARAMS, "binarize": "dynamic"},
    "importance": {**VAE_PARAMS, "importance_samples": 3},
    "muon": {**VAE_PARAMS, "optimizer": "muon"},
    "conv": {**VAE_PARAMS, "network": {"type": "conv", "channels": [4], "blocks": 0, "hidden": [16]}},
    "ae_article": {"kind": "ae_article", **ARTICLE},
    "vae_article": {"kind": "vae_article", **ARTICLE},
}


def params(value: dict) -> TrainParams:
    return TRAIN_PARAMS.validate_python(value)


def bars(count: int, seed: int, device: str = "cpu") -> Split:
    """Images of one bright bar on grey noise: something to learn."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 60, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
    places = torch.randint(0, 24, (count,), generator=generator)
    for image, place in zip(images, places.tolist(), strict=True):
        image[0, :, place : place + 4] = 230
    return Split(images.to(device), (places % 10).to(device, torch.uint8))


def training(value: dict, seed: int = 0, device: str = "cpu") -> Training:
    model = build_model(params(value), seed)
    assert isinstance(model, AE | VAE)
    return Training(model, params(value), bars(72, 0, device), bars(24, 1, device), seed)


def weights(run: Training) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_validation_loss_falls(variant):
    run = training(VARIANTS[variant])
    before = run.validate()
    *_, last = run.epochs()
    assert last.epoch == 4
    assert last.validation.loss < before.loss
    assert last.images_per_second > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_same_seed_same_weights_other_seed_others(variant):
    runs = [training(VARIANTS[variant], seed=seed) for seed in (3, 3, 4)]
    curves = [[(m.train, m.validation) for m in run.epochs()] for run in runs]
    assert curves[0] == curves[1]
    assert_equal(weights(runs[0]), weights(runs[1]))
    assert curves[0] != curves[2]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_run_ends_with_the_same_weights(variant, stop, tmp_path):
    whole = training(VARIANTS[variant])
    expected = [(m.epoch, m.train, m.validation) for m in whole.epochs()]
    first = training(VARIANTS[variant])
    epochs = first.epochs()
    for _ in range(stop):
        next(epochs)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second = training(VARIANTS[variant])
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert [(m.epoch, m.train, m.validation) for m in second.epochs()] == expected[stop:]
    assert_equal(weights(whole), weights(second))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_captured_step_replays_all_that_python_does_and_leaves_no_trace_of_its_capture(variant):
    with pretended_gpu():
        captured, stepwise, stopped, resumed = (training(VARIANTS[variant], device="cuda") for _ in range(4))
        stepwise.prepare = lambda: None  # type: ignore[method-assign]
        curves = [[(m.train, m.validation) for m in run.epochs()] for run in (captured, stepwise)]
        next(stopped.epochs())
        resumed.load_state_dict(stopped.state_dict())
        list(resumed.epochs())
        assert list(resumed.epochs()) == []  # nothing is left, to capture either
        expected, *others = (
            {name: value.cpu() for name, value in weights(run).items()} for run in (stepwise, captured, resumed)
        )
    assert curves[0] == curves[1]
    for other in others:
        assert_equal(expected, other)


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda run: run.totals.sum().item(), "operation not permitted when stream is capturing"),
        (lambda run: run.totals.add_(torch.zeros(3)), "Expected all tensors to be on the same device"),
    ],
    ids=["a value read", "devices mixed"],
)
def test_a_step_that_no_gpu_would_do_fails_where_there_is_none(slip, said, monkeypatch):
    step = Training._step
    monkeypatch.setattr(Training, "_step", lambda run: [step(run), slip(run)])
    with pretended_gpu():
        run = training(VAE_PARAMS, device="cuda")
        with pytest.raises(RuntimeError, match=said):
            run.prepare()


def test_a_gpu_has_its_next_batches_before_it_is_waited_for(monkeypatch):
    happened = []

    def note(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def noted(*given):
            happened.append(name)
            return original(*given)

        monkeypatch.setattr(owner, name, noted)

    with pretended_gpu():
        run = training({**VAE_PARAMS, "epochs": 2}, device="cuda")
        run.prepare()
        for owner, name in ((Training, "_prepare_epoch"), (Training, "_validation_means"), (GPUTensor, "tolist")):
            note(owner, name)
        list(run.epochs())
    once = [name for name, _ in groupby(happened)]
    assert once == ["_prepare_epoch", "_validation_means", "_prepare_epoch", "tolist", "_validation_means", "tolist"]


@pytest.mark.parametrize("samples", [1, 3])
def test_terms_add_up(samples):
    run = training({**VAE_PARAMS, "beta": 2.5, "kl_warmup": 1.0, "importance_samples": samples, "epochs": 1})
    (metrics,) = run.epochs()
    for terms in (metrics.train, metrics.validation):
        assert terms.loss == pytest.approx(terms.reconstruction + 2.5 * terms.kl_divergence, rel=1e-6)
        assert terms.kl_divergence > 0


def test_terms_are_means_over_the_images_used():
    run = training({**AE_PARAMS, "epochs": 1, "learning_rate": 1e-12})  # which moves nothing
    (metrics,) = run.epochs()
    for terms, images in ((metrics.train, run.images.flatten(0, 1)), (metrics.validation, run.validation.images)):
        image = images / 255
        with torch.no_grad():
            total = binary_cross_entropy(run.model.decode(run.model.encode(image)), image, reduction="sum").item()
        assert terms.loss == pytest.approx(total / len(images), rel=1e-4)


def test_every_step_takes_its_place_in_the_schedules():
    run = training({**VAE_PARAMS, "beta": 2.5, "kl_warmup": 1.0})
    rates, weights = schedules(run.params, run.steps)
    for metrics in run.epochs():
        last = metrics.epoch * run.steps - 1
        assert [group["lr"].item() for group in run.optimizers[0].param_groups] == [rates[last]]
        assert run.kl_weight == weights[last]


def test_a_kl_term_that_is_still_light_lets_the_kl_divergence_grow():
    heavy, light = (
        [metrics.validation.kl_divergence for metrics in training({**VAE_PARAMS, "kl_warmup": share}).epochs()]
        for share in (0.0, 1.0)
    )
    assert light[0] > heavy[0]


def gradient(**changes: float) -> tuple[Training, list[torch.Tensor]]:
    """Of a training's only step, which sees every image and moves nothing."""
    run = training({**AE_PARAMS, "batch_size": 72, "epochs": 1, "learning_rate": 1e-12, **changes})
    list(run.epochs())
    return run, [parameter.grad for parameter in run.model.parameters() if parameter.grad is not None]


def test_a_step_follows_the_gradient_of_the_mean_loss():
    run, _ = gradient(grad_clip=1e9)
    image = run.train.images / 255
    with torch.no_grad():
        error = run.model.decode(run.model.encode(image)) - image
    torch.testing.assert_close(run.model.decoder.pixel_bias.grad, error.mean(0), atol=1e-5, rtol=1e-4)


def test_a_gradient_is_cut_to_the_length_allowed():
    long, short = (torch.cat([part.flatten() for part in gradient(grad_clip=clip)[1]]) for clip in (1e9, 0.01))
    torch.testing.assert_close(short, 0.01 * long / long.norm(), atol=1e-6, rtol=1e-3)


def test_validation_draws_the_same_at_every_epoch_and_for_every_seed():
    early, late = (training({**VAE_PARAMS, "binarize": "dynamic"}, seed=seed) for seed in (0, 1))
    late.model.load_state_dict(early.model.state_dict())
    late.epoch = 3
    assert late.validate() == early.validate()


def test_validation_binarizes_and_draws_latents_as_training_does():
    run = training(VAE_PARAMS)
    image = run.validation.images / 255
    with torch.no_grad():
        total = binary_cross_entropy(run.model.decode(run.model.encode(image)), image, reduction="sum").item()
    assert run.validate().reconstruction > 1.001 * total / len(image)  # than of the posterior's mean
    grey, binarized = (training({**AE_PARAMS, "binarize": how}).validate() for how in ("none", "dynamic"))
    assert binarized != grey


def test_binarized_images_are_black_and_white_and_redrawn_each_epoch():
    run = training({**VAE_PARAMS, "binarize": "dynamic"})
    seen = []
    for run.epoch in range(4):
        run._prepare_epoch()
        assert set(run.images.unique().tolist()) == {0, 255}
        seen.append(run.images.float().mean().item())
    assert len(set(seen)) == len(seen)
    assert seen == pytest.approx([run.train.images.float().mean().item()] * 4, rel=0.04)


def test_noise_is_standard_normal_and_redrawn_each_epoch():
    run = training({**VAE_PARAMS, "importance_samples": 10})
    seen = []
    for run.epoch in range(2):
        run._prepare_epoch()
        assert run.noise.shape == (4, 16, 10, 4)
        assert [run.noise.mean().item(), run.noise.std().item()] == pytest.approx([0, 1], abs=0.08)
        seen.append(run.noise.clone())
    assert not torch.equal(*seen)


def test_every_image_is_used_once_an_epoch():
    run = training(AE_PARAMS)
    run._prepare_epoch()
    drawn = {image.numpy().tobytes() for image in run.images.flatten(0, 1)}
    assert len(drawn) == 64  # four batches of 16; the last 8 images wait for another epoch's order
    assert drawn <= {image.numpy().tobytes() for image in run.train.images}


def test_every_epoch_has_an_order_of_its_own():
    run = training(AE_PARAMS)
    orders = [run.train.images[:64]]
    for run.epoch in range(2):
        run._prepare_epoch()
        orders.append(run.images.flatten(0, 1).clone())
    assert not any(torch.equal(first, second) for first, second in combinations(orders, 2))


def test_a_batch_larger_than_the_data_is_cut_to_it():
    run = training({**AE_PARAMS, "batch_size": 500})
    assert (run.batch_size, run.steps) == (72, 1)
    *_, last = run.epochs()
    assert last.epoch == 4


def test_decoding_starts_at_the_mean_image():
    run = training(AE_PARAMS)
    mean = (run.train.images.float() / 255).mean(0)
    torch.testing.assert_close(torch.sigmoid(run.model.decoder.pixel_bias), mean.clamp(0.01, 0.99))
    black = Split(torch.zeros_like(run.train.images), run.train.labels)
    start_at_mean_image(run.model.decoder, black)  # no pixel is sure to stay as it always was
    torch.testing.assert_close(torch.sigmoid(run.model.decoder.pixel_bias), torch.full((1, 28, 28), 0.01))


@pytest.mark.parametrize(("batch_size", "split"), [(16, "training"), (72, "validation")])  # 72: after its only step
def test_a_diverging_run_stops_with_the_parameter_to_change(batch_size, split):
    changes = {"learning_rate": 1e30, "grad_clip": 1e30, "batch_size": batch_size, "epochs": 1}
    run = training({**AE_PARAMS, **changes})
    with pytest.raises(TrainingDiverged, match=rf"^the {split} loss is .* smaller learning_rate"):
        list(run.epochs())


def test_the_pace_is_of_the_images_used(monkeypatch):
    monkeypatch.setattr("autoencoder.training.time", SimpleNamespace(perf_counter=count(0, 2).__next__))
    assert [metrics.images_per_second for metrics in training(AE_PARAMS).epochs()] == [64 / 2] * 4
    assert fit_pca(PCA(3), bars(72, seed=0), bars(24, seed=1)).images_per_second == 72 / 2


def test_pca_curve_is_its_squared_error():
    model = PCA(3)
    train, validation = bars(72, seed=0), bars(24, seed=1)
    metrics = fit_pca(model, train, validation)
    for split, terms in ((train, metrics.train), (validation, metrics.validation)):
        images = split.images / 255
        error = (model.decode(model.encode(images)) - images).square().sum() / len(images)
        assert terms.loss == pytest.approx(error.item(), rel=1e-5)
