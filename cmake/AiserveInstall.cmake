# Filled in by install rules for every module.
