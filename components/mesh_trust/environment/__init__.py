"""An environment: which components its settings ask for, and what keeps them safe."""
