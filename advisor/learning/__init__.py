"""What measurements teach: published ones are imported and fitted here, and the predictors read the result."""
