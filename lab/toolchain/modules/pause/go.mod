module mesh-trust/lab/toolchain/pause

go 1.26.0
