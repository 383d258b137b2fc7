#pragma once

#include <string>

#include "face/base/status.h"
#include "face/network/description.h"

namespace facegate::report {

// The graph of a network for EventFile::AddGraph(): the bytes of a GraphDef of
// protos/tensorboard/graph.proto. Each call of a layer is a node; groups and the parts of names are
// scopes ("layer1/0/conv1"), the sum of a residual and the joins of a graph are nodes in theirs. A
// node has the layer's kind as its operation, and as attributes its fields, the shape that it gives
// and, at its first call, its number of parameters. kInvalidArgument where the layers do not fit
// each other.
StatusOr<std::string> NetworkGraph(const network::Description& description);

}  // namespace facegate::report
