#pragma once

#include <string>

#include "face/base/status.h"
#include "tests/bench/embed_timing.h"

namespace facegate {

// The embedder as one side of a comparison that another program leads (compare_onnxruntime.py).
// Writes into `folder`, which exists, model.safetensors, a model file with seeded random weights,
// and faces.safetensors with the float inputs of max_batch generated faces ("input", N·3·112·112)
// and their unit-length embeddings ("embedding", N·E). Prints "ready". Then each line
// "BATCH SECONDS" on standard input is answered by one line, the median milliseconds of the calls
// with so many faces in that time (the first call not counted). Returns at the end of the input;
// kInvalidArgument for another line.
Status EmbedOnCommand(const EmbedderShape& shape, const std::string& folder);

}  // namespace facegate
