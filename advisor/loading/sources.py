"""Where networks are built from, and how their names are written."""

SOURCES = {
    "timm": "timm:NAME or timm:NAME.TAG",
    "torchvision": "torchvision:NAME",
    "ultralytics": "ultralytics:NAME.yaml",
    "hf-hub": "hf-hub:ORG/NAME",
    "python": "python:MODULE:FUNCTION",
}

OBJECT = "object:"  # before the class of a module that was passed from Python
