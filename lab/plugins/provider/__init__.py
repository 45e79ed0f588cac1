"""Common ground of provider plugins: the engine's protocol outside, plain Python inside."""
