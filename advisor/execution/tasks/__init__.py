"""Tasks by which a network is trained and judged; `OwnTask` is for those that advisor does not know."""

from .agreement import Agreement
from .classification import Classification
from .detection import Detection
from .own import OwnTask
from .scoring import module_score
from .segmentation import Segmentation
from .task import Task

__all__ = ["Agreement", "Classification", "Detection", "OwnTask", "Segmentation", "Task", "module_score"]
